#ifndef BERTH_AGENT_SHELL_ZSH_PIPE_MESSAGE_H_
#define BERTH_AGENT_SHELL_ZSH_PIPE_MESSAGE_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "agent/shell/control_packet.h"

namespace berth::shell {

// Control packets as zsh can read and write them.

// To zsh, a line: type, flags, id; with descriptors, also the process that has
// them and their numbers there.
std::string EncodePipeMessage(const ControlPacket& packet, pid_t owner,
                              absl::Span<const int> fds);

// From zsh, without the NUL that ends it: type, flags, id, status, how, and
// then text, each after one blank. INVALID_ARGUMENT: it is nothing like that.
absl::StatusOr<ControlPacket> DecodePipeMessage(absl::string_view message);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_ZSH_PIPE_MESSAGE_H_
