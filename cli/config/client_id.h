#ifndef BERTH_CLI_CONFIG_CLIENT_ID_H_
#define BERTH_CLI_CONFIG_CLIENT_ID_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/invocation/environment.h"

namespace berth::cli {

// This user's client on this machine: a UUID made at the first use and kept in
// the state directory. Safe against several processes making it at once.
absl::StatusOr<std::string> LoadOrMakeClientId(const Environment& environment);

// For people: "alice@laptop".
std::string ClientName(const Environment& environment);

// The name of this machine. InvalidArgument if it has none.
absl::StatusOr<std::string> HostName();

}  // namespace berth::cli

#endif  // BERTH_CLI_CONFIG_CLIENT_ID_H_
