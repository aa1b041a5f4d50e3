#include "agent/shell/socket_channel.h"

#include <errno.h>
#include <sys/socket.h>

#include <string>
#include <utility>

#include "base/files.h"
#include "base/send_fds.h"

namespace berth::shell {
namespace {

constexpr size_t kMaxDescriptors = 4 + BERTH_SECRETS_MAX;

}  // namespace

absl::StatusOr<std::unique_ptr<SocketChannel>> SocketChannel::Open(
    UniqueFd& peer) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoToStatus(errno, "socketpair");
  }
  peer.reset(ends[1]);
  return std::unique_ptr<SocketChannel>(new SocketChannel(UniqueFd(ends[0])));
}

absl::Status SocketChannel::Send(const ControlPacket& packet,
                                 absl::Span<const int> fds) {
  if (!is_open() || fds.size() > kMaxDescriptors) {
    return absl::UnavailableError("the shell's control channel is closed");
  }
  if (SendFds(fd_.get(), EncodePacket(packet), fds, MSG_DONTWAIT) >= 0) {
    return absl::OkStatus();
  }
  if (errno == EAGAIN || errno == ENOBUFS) {
    return absl::ResourceExhaustedError(
        "the shell does not read its control channel");
  }
  return absl::UnavailableError("the shell's control channel is closed");
}

absl::StatusOr<std::optional<ControlPacket>> SocketChannel::Receive() {
  if (!is_open()) return std::nullopt;
  char bytes[sizeof(berth_packet) + BERTH_PACKET_TEXT_MAX];
  // Without a place for descriptors the kernel drops any that are sent.
  ssize_t length = recv(fd_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (length <= 0) {
    closed_ = true;
    return std::nullopt;
  }
  absl::StatusOr<ControlPacket> packet =
      DecodePacket(absl::string_view(bytes, static_cast<size_t>(length)));
  if (!packet.ok()) return packet.status();
  return std::optional<ControlPacket>(*std::move(packet));
}

}  // namespace berth::shell
