#include "broker/services/caller.h"

#include "base/tls/credentials.h"

namespace berth::broker {

std::string CallerName(const grpc::CallbackServerContext& context) {
  auto identity = PeerIdentity(*context.auth_context());
  return identity.ok() ? identity->name : "";
}

absl::Status CheckKept(Fleet& fleet, const grpc::ServerContextBase& context) {
  return fleet.audit().TakeRefusal(&context);
}

}  // namespace berth::broker
