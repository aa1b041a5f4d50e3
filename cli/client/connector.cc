#include "cli/client/connector.h"

#include <string>
#include <utility>

#include "base/status_macros.h"
#include "cli/config/client_id.h"
#include "cli/config/contexts.h"

namespace berth::cli {

absl::StatusOr<v1::Client> LoadClient(const Environment& environment) {
  v1::Client client;
  BERTH_ASSIGN_OR_RETURN(*client.mutable_id(), LoadOrMakeClientId(environment));
  client.set_name(ClientName(environment));
  return client;
}

absl::StatusOr<std::shared_ptr<Connection>> DirectConnector::Connect(
    const Environment& environment, absl::string_view name) {
  BERTH_ASSIGN_OR_RETURN(const Context context,
                         ResolveContext(environment, name));
  BERTH_ASSIGN_OR_RETURN(v1::Client client, LoadClient(environment));
  return Connection::Make(context, std::move(client));
}

}  // namespace berth::cli
