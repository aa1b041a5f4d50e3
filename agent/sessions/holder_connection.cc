#include "agent/sessions/holder_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "agent/holder/identity_file.h"
#include "agent/sessions/holder_version.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/send_fds.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

constexpr int kSendMilliseconds = 10'000;

// The holder runs as the owner of its directory, whose parents are the agent's
// alone. A holder that passed its socket on is none.
absl::Status CheckPeer(int fd, int directory_fd, const std::string& directory) {
  struct stat info;
  if (fstat(directory_fd, &info) != 0) return ErrnoToStatus(errno, directory);
  ucred peer;
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return ErrnoToStatus(errno, "SO_PEERCRED");
  }
  if (peer.uid != info.st_uid) {
    return absl::PermissionDeniedError(
        absl::StrCat("the session's socket belongs to user ", peer.uid,
                     ", not to ", info.st_uid, " as its directory"));
  }
  const auto identity = holder::ReadIdentityFile(directory + "/holder");
  if (identity.ok() && identity->pid != peer.pid) {
    return absl::PermissionDeniedError(
        absl::StrCat("the session's socket belongs to process ", peer.pid,
                     ", not to its holder ", identity->pid));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HolderConnection> HolderConnection::Connect(
    const std::string& directory) {
  BERTH_RETURN_IF_ERROR(CheckHolderVersion(HolderVersionOf(directory)));
  // By way of a descriptor: a socket's path has room for 107 bytes only.
  const UniqueFd dir(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) {
    // Nothing is known to be wrong with the holder, and nothing was started.
    if (errno == EMFILE || errno == ENFILE) {
      return ErrnoToStatus(errno, directory);
    }
    return absl::UnavailableError(ErrnoToStatus(errno, directory).message());
  }
  UniqueFd fd(
      socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoToStatus(errno, "socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path, sizeof(address.sun_path),
           "/proc/self/fd/%d/socket", dir.get());
  for (int tries = 0; connect(fd.get(), reinterpret_cast<sockaddr*>(&address),
                              sizeof(address)) != 0;
       ++tries) {
    // EAGAIN: its queue of connections is full for the moment.
    if (errno != EAGAIN || tries > 100) {
      return absl::UnavailableError(
          ErrnoToStatus(errno, "connect to the session's holder").message());
    }
    poll(nullptr, 0, 10);
  }
  BERTH_RETURN_IF_ERROR(CheckPeer(fd.get(), dir.get(), directory));
  return HolderConnection(std::move(fd));
}

absl::Status HolderConnection::Send(const holder::v1::Request& request,
                                    int fd) {
  const std::string packet = request.SerializeAsString();
  for (;;) {
    if (SendFd(fd_.get(), packet, fd, /*flags=*/0) >= 0) {
      return absl::OkStatus();
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != ENOBUFS) {
      return absl::UnavailableError(
          ErrnoToStatus(errno, "the session's holder is gone").message());
    }
    pollfd writable{fd_.get(), POLLOUT, 0};
    if (poll(&writable, 1, kSendMilliseconds) == 0) {
      return absl::UnavailableError(
          "the session's holder has taken no requests for 10 s");
    }
  }
}

absl::StatusOr<std::optional<holder::v1::Event>>
HolderConnection::TryReceive() {
  if (buffer_.empty()) buffer_.resize(max_event_);
  ssize_t got = 0;
  do {
    got = recv(fd_.get(), buffer_.data(), buffer_.size(),
               MSG_TRUNC | MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return std::nullopt;
  if (got <= 0) {
    return absl::UnavailableError("the session's holder ended the connection");
  }
  holder::v1::Event event;
  if (got > static_cast<ssize_t>(buffer_.size()) ||
      !event.ParseFromArray(buffer_.data(), got)) {
    return absl::DataLossError("the session's holder sent no valid event");
  }
  return event;
}

absl::StatusOr<holder::v1::Event> HolderConnection::Receive(
    absl::Duration limit) {
  const absl::Time deadline = MonotonicNow() + limit;
  for (;;) {
    BERTH_ASSIGN_OR_RETURN(std::optional<holder::v1::Event> event,
                           TryReceive());
    if (event.has_value()) return *std::move(event);
    const int64_t left =
        absl::ToInt64Milliseconds(deadline - MonotonicNow()) + 1;
    pollfd readable{fd_.get(), POLLIN, 0};
    if (left <= 0 || poll(&readable, 1, left) == 0) {
      return absl::DeadlineExceededError(
          "the session's holder did not answer in time");
    }
  }
}

absl::StatusOr<UniqueFd> ScriptFile(absl::string_view script) {
  UniqueFd fd(memfd_create("berth-script", MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoToStatus(errno, "memfd_create");
  BERTH_RETURN_IF_ERROR(WriteAll(fd.get(), script));
  if (lseek(fd.get(), 0, SEEK_SET) != 0) {
    return ErrnoToStatus(errno, "lseek");
  }
  return fd;
}

}  // namespace berth::agent
