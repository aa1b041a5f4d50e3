#ifndef BERTH_AGENT_SHELL_CONTROL_CHANNEL_H_
#define BERTH_AGENT_SHELL_CONTROL_CHANNEL_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/shell/control_packet.h"

namespace berth::shell {

// The holder's end of the control channel to what serves it in a shell. Never
// blocks. One thread.
class ControlChannel {
 public:
  virtual ~ControlChannel() = default;

  // For polling. -1 once the other end is gone; the descriptor itself stays
  // until the end, so that its number can't be another's while it is watched.
  virtual int fd() const = 0;
  virtual bool is_open() const = 0;

  // Sends `packet`, with copies of `fds`. UNAVAILABLE: the other end is gone.
  // RESOURCE_EXHAUSTED: the shell has not read what was sent before.
  virtual absl::Status Send(const ControlPacket& packet,
                            absl::Span<const int> fds = {}) = 0;

  // The next packet, or nothing if none waits. Closes itself when the other
  // end is gone. INVALID_ARGUMENT: what came was no packet; go on.
  virtual absl::StatusOr<std::optional<ControlPacket>> Receive() = 0;
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_CONTROL_CHANNEL_H_
