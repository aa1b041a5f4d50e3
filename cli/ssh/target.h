#ifndef BERTH_CLI_SSH_TARGET_H_
#define BERTH_CLI_SSH_TARGET_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::cli {

// Where an SSH server is, and who to be there.
struct SshTarget {
  std::string text;      // As the user wrote it.
  std::string computer;  // What stood before "="; empty: nothing did.
  std::string user;
  std::string host;
  uint16_t port = 22;
};

// Reads "[NAME=][USER@]HOST[:PORT]"; an IPv6 address with a port stands in
// brackets. `user` and `port` are meant if none is named. INVALID_ARGUMENT says
// what is wrong: no host or user can be taken for an option of another program.
absl::StatusOr<SshTarget> ParseSshTarget(absl::string_view text,
                                         absl::string_view user,
                                         uint16_t port = 22);

// "host:port", with brackets where they are needed.
std::string Endpoint(const SshTarget& target);

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_TARGET_H_
