#ifndef BERTH_CLI_SSH_HOST_KEY_H_
#define BERTH_CLI_SSH_HOST_KEY_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "cli/ssh/target.h"
#include "libssh/libssh.h"

namespace berth::cli {

// Which servers are believed to be who they are.
struct HostKeyRules {
  // Where known keys are, and new ones are added; /etc/ssh/ssh_known_hosts
  // counts as well.
  std::string known_hosts;
  // Believe a server that nothing is known of, and note its key.
  bool accept_new = false;
  // Asks the user whether to; not set: there is nobody to ask. Any thread.
  std::function<bool(const std::string& question)> ask;
};

// Checks the key that the server of a connected session has proved to have, as
// ssh does with StrictHostKeyChecking: a key that differs from what is known is
// never taken. PERMISSION_DENIED: it is not to be believed; the message has the
// fingerprint and says what to do.
absl::Status CheckHostKey(ssh_session session, const SshTarget& target,
                          const HostKeyRules& rules);

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_HOST_KEY_H_
