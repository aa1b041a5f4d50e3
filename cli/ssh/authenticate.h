#ifndef BERTH_CLI_SSH_AUTHENTICATE_H_
#define BERTH_CLI_SSH_AUTHENTICATE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/ssh/target.h"
#include "libssh/libssh.h"

namespace berth::cli {

// The keys to try, in this order: files that were named, then the ssh-agent
// (SSH_AUTH_SOCK), then files that are keys by default. Nothing else is:
// neither passwords nor anything that would have to be asked for.
struct SshKeys {
  std::vector<std::string> named;
  std::vector<std::string> usual;  // May be missing.
};

// Logs in to a server whose key was checked. PERMISSION_DENIED: it takes none
// of the keys; the message names what was tried. FAILED_PRECONDITION: it takes
// no keys at all.
absl::Status Authenticate(ssh_session session, const SshTarget& target,
                          const SshKeys& keys);

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_AUTHENTICATE_H_
