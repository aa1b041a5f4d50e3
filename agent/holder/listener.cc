#include "agent/holder/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace berth::holder {
namespace {

constexpr char kName[] = "socket";
constexpr int kBacklog = 64;
constexpr absl::Duration kPause = absl::Milliseconds(100);

absl::StatusOr<UniqueFd> OpenDirectory(const std::string& path) {
  UniqueFd fd(
      open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return ErrnoToStatus(errno, path);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoToStatus(errno, path);
  if (info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " must be owned by the holder's user, with mode 0700"));
  }
  return fd;
}

// Who started this process, whatever it became since: the agent.
const uid_t kAgent = getuid();

bool IsAllowed(int fd) {
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == kAgent;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(
    EventLoop& loop, const std::string& directory,
    std::function<void(UniqueFd)> on_accept) {
  absl::StatusOr<UniqueFd> directory_fd = OpenDirectory(directory);
  if (!directory_fd.ok()) return directory_fd.status();
  UniqueFd fd(
      socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoToStatus(errno, "socket");
  unlinkat(directory_fd->get(), kName, 0);
  // By descriptor, because a socket's path may have no more than 107 bytes.
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s",
           directory_fd->get(), kName);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) !=
          0 ||
      listen(fd.get(), kBacklog) != 0) {
    return ErrnoToStatus(errno, absl::StrCat("listening in ", directory));
  }
  int socket_fd = fd.get();
  std::unique_ptr<Listener> listener(new Listener(
      loop, *std::move(directory_fd), std::move(fd), std::move(on_accept)));
  absl::Status status =
      loop.Watch(socket_fd, EPOLLIN,
                 [self = listener.get()](uint32_t) { self->Accept(); });
  if (!status.ok()) return status;
  return listener;
}

Listener::~Listener() {
  if (pause_) loop_.Cancel(*pause_);
  loop_.Unwatch(socket_.get());
  unlinkat(directory_.get(), kName, 0);
}

void Listener::Accept() {
  UniqueFd fd(
      accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd.valid()) {
    if (IsAllowed(fd.get())) on_accept_(std::move(fd));
  } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    // Out of descriptors; the peer stays in the backlog meanwhile.
    loop_.Change(socket_.get(), 0);
    pause_ = loop_.After(kPause, [this] {
      pause_.reset();
      loop_.Change(socket_.get(), EPOLLIN);
    });
  }
}

}  // namespace berth::holder
