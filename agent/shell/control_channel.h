#ifndef BERTH_AGENT_SHELL_CONTROL_CHANNEL_H_
#define BERTH_AGENT_SHELL_CONTROL_CHANNEL_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/shell/control_packet.h"
#include "base/unique_fd.h"

namespace berth::shell {

// The holder's end of the control channel to the hook. Never blocks. One
// thread.
class ControlChannel {
 public:
  // The other end, for the shell, goes to `peer`.
  static absl::StatusOr<ControlChannel> Open(UniqueFd& peer);

  // For polling. -1 once the other end is gone; the descriptor itself stays
  // until the end, so that its number can't be another's while it is watched.
  int fd() const { return closed_ ? -1 : fd_.get(); }
  bool is_open() const { return !closed_; }

  // Sends `packet`, with copies of `fds`. UNAVAILABLE: the other end is gone.
  // RESOURCE_EXHAUSTED: the shell has not read what was sent before.
  absl::Status Send(const ControlPacket& packet,
                    absl::Span<const int> fds = {});

  // The next packet, or nothing if none waits. Closes itself when the other
  // end is gone. INVALID_ARGUMENT: what came was no packet; go on.
  absl::StatusOr<std::optional<ControlPacket>> Receive();

 private:
  explicit ControlChannel(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  bool closed_ = false;
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_CONTROL_CHANNEL_H_
