#ifndef BERTH_AGENT_SHELL_SOCKET_CHANNEL_H_
#define BERTH_AGENT_SHELL_SOCKET_CHANNEL_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/shell/control_channel.h"
#include "agent/shell/control_packet.h"
#include "base/unique_fd.h"

namespace berth::shell {

// A control channel that passes packets, and descriptors with them, over a
// SOCK_SEQPACKET socket.
class SocketChannel final : public ControlChannel {
 public:
  // The other end, for the shell, goes to `peer`.
  static absl::StatusOr<std::unique_ptr<SocketChannel>> Open(UniqueFd& peer);

  int fd() const override { return closed_ ? -1 : fd_.get(); }
  bool is_open() const override { return !closed_; }
  absl::Status Send(const ControlPacket& packet,
                    absl::Span<const int> fds = {}) override;
  absl::StatusOr<std::optional<ControlPacket>> Receive() override;

 private:
  explicit SocketChannel(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  bool closed_ = false;
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_SOCKET_CHANNEL_H_
