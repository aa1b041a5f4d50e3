#include "tests/support/holder_client.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/send_fds.h"

namespace berth::testing {
namespace {

constexpr size_t kMaxPacket = 256 * 1024;
constexpr absl::Duration kSendLimit = absl::Seconds(10);

absl::Status Errno(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(errno)));
}

// poll(2) with a deadline finer than milliseconds.
short PollFor(int fd, short events, absl::Duration limit) {
  pollfd ready{fd, events, 0};
  timespec time = absl::ToTimespec(std::max(limit, absl::ZeroDuration()));
  return ppoll(&ready, 1, &time, nullptr) > 0 ? ready.revents : short{0};
}

}  // namespace

absl::StatusOr<HolderClient> HolderClient::Connect(const std::string& path) {
  UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Errno("socket");
  int size = 4 << 20;  // So that large packets fit at all.
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is too long"));
  }
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address),
              sizeof address) != 0) {
    return Errno(path);
  }
  return HolderClient(std::move(fd));
}

absl::Status HolderClient::Send(const holder::v1::Request& request, int fd) {
  return SendRaw(request.SerializeAsString(), fd);
}

absl::Status HolderClient::SendRaw(absl::string_view packet, int fd) {
  const absl::Time deadline = absl::Now() + kSendLimit;
  while (fd_.valid()) {
    if (SendFd(fd_.get(), packet, fd, MSG_DONTWAIT) >= 0)
      return absl::OkStatus();
    if (errno != EAGAIN && errno != EINTR) return Errno("send to holder");
    short ready = PollFor(fd_.get(), POLLIN | POLLOUT, deadline - absl::Now());
    if (ready == 0) {
      return absl::DeadlineExceededError("the holder does not read");
    }
    if (ready & POLLIN) {
      absl::Status status = Receive(absl::ZeroDuration());
      if (absl::IsUnavailable(status)) return status;
    }
  }
  return absl::UnavailableError("not connected");
}

absl::Status HolderClient::Receive(absl::Duration limit) {
  if (!fd_.valid()) return absl::UnavailableError("not connected");
  if (PollFor(fd_.get(), POLLIN, limit) == 0) {
    return absl::DeadlineExceededError("no event came");
  }
  std::string packet(kMaxPacket, '\0');
  ssize_t got = recv(fd_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return absl::OkStatus();
  if (got <= 0) {
    fd_.reset();
    return absl::UnavailableError("the holder closed the connection");
  }
  packet.resize(static_cast<size_t>(got));
  inbox_.push_back(std::move(packet));
  return absl::OkStatus();
}

absl::StatusOr<holder::v1::Event> HolderClient::Next(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (inbox_.empty()) {
    absl::Status status = Receive(deadline - absl::Now());
    if (!status.ok()) return status;
  }
  holder::v1::Event event;
  bool parsed = event.ParseFromString(inbox_.front());
  inbox_.pop_front();
  if (!parsed) return absl::DataLossError("a packet that is no event came");
  return event;
}

absl::Status HolderClient::WaitClosed(absl::Duration limit) {
  const absl::Time deadline = absl::Now() + limit;
  while (true) {
    absl::StatusOr<holder::v1::Event> event = Next(deadline - absl::Now());
    if (absl::IsUnavailable(event.status())) return absl::OkStatus();
    if (absl::IsDeadlineExceeded(event.status())) {
      return absl::DeadlineExceededError("the connection stays open");
    }
  }
}

holder::v1::Request StartRequest(const std::string& command_id,
                                 const std::string& script) {
  holder::v1::Request request;
  holder::v1::Start& start = *request.mutable_start();
  start.set_command_id(command_id);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(script.data()), script.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  start.set_digest(digest);
  // Cut at a character's end: the field is text.
  std::string what = script.substr(0, 200);
  while (what.size() >= 190 && (what.back() & 0x80)) what.pop_back();
  start.set_what(std::move(what));
  return request;
}

absl::StatusOr<UniqueFd> MemoryFile(absl::string_view content) {
  UniqueFd fd(memfd_create("script", MFD_CLOEXEC));
  if (!fd.valid()) return Errno("memfd_create");
  while (!content.empty()) {
    ssize_t put = write(fd.get(), content.data(), content.size());
    if (put <= 0) return Errno("write to memfd");
    content.remove_prefix(static_cast<size_t>(put));
  }
  return fd;
}

}  // namespace berth::testing
