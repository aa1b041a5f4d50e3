#include "cli/keeper/socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/send_fds.h"
#include "base/status_macros.h"

namespace berth::cli {
namespace {

constexpr size_t kMaxFds = 3;
constexpr int kSendTimeoutMs = 5000;
constexpr int kBacklog = 128;

absl::StatusOr<sockaddr_un> Address(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": too long for a socket (at most ",
                     sizeof(address.sun_path) - 1, " bytes)"));
  }
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Moves the descriptors of a received message out of its control data.
void TakeFds(msghdr& message, std::vector<UniqueFd>& fds) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
}

}  // namespace

absl::StatusOr<UniqueFd> ListenAt(const std::string& path) {
  BERTH_ASSIGN_OR_RETURN(const sockaddr_un address, Address(path));
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid() ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0 ||
      listen(fd.get(), kBacklog) != 0) {
    return ErrnoToStatus(errno, path);
  }
  return fd;
}

absl::StatusOr<UniqueFd> ConnectTo(const std::string& path) {
  BERTH_ASSIGN_OR_RETURN(const sockaddr_un address, Address(path));
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoToStatus(errno, "socket");
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) {
      return absl::NotFoundError(absl::StrCat(path, ": nobody listens"));
    }
    return ErrnoToStatus(errno, path);
  }
  BERTH_RETURN_IF_ERROR(CheckPeer(fd.get()));
  return fd;
}

absl::Status CheckPeer(int socket) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return ErrnoToStatus(errno, "asking who is at the other end");
  }
  if (peer.uid == geteuid()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("the keeper's socket is user ", peer.uid, "'s, not ours"));
}

absl::Status SendAll(int socket, absl::string_view data,
                     absl::Span<const int> fds) {
  while (!data.empty()) {
    const ssize_t sent = SendFds(socket, data, fds, MSG_DONTWAIT);
    if (sent >= 0) {
      data.remove_prefix(sent);
      fds = {};
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return ErrnoToStatus(errno, "sending");
    pollfd writable = {socket, POLLOUT, 0};
    if (poll(&writable, 1, kSendTimeoutMs) == 0) {
      return absl::DeadlineExceededError("sending: the peer takes nothing");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Received> Receive(int socket) {
  char buffer[16 << 10];
  iovec piece = {buffer, sizeof(buffer)};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t count;
  do {
    count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    if (errno == EAGAIN) return absl::UnavailableError("nothing yet");
    if (errno == ECONNRESET) return Received();
    return ErrnoToStatus(errno, "receiving");
  }
  Received received;
  received.data.assign(buffer, count);
  TakeFds(message, received.fds);
  return received;
}

}  // namespace berth::cli
