#ifndef BERTH_CLI_SSH_DIAL_SSH_H_
#define BERTH_CLI_SSH_DIAL_SSH_H_

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "cli/ssh/lifeline.h"
#include "cli/ssh/target.h"

namespace berth::cli {

// A TCP connection to an SSH server, cut by `lifeline`. Errors as Dial().
absl::StatusOr<UniqueFd> DialSsh(const SshTarget& target, Lifeline& lifeline);

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_DIAL_SSH_H_
