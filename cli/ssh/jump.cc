#include "cli/ssh/jump.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "cli/ssh/ssh_error.h"

namespace berth::cli {
namespace {

// What waits in one direction at most, in bytes; a reader that is slow stops
// who writes.
constexpr size_t kRoom = 256 << 10;
// A look at both ends although neither reports anything.
constexpr int kLookMilliseconds = 200;

// What waits to go on. Each function moves what can be moved now, says in
// `moved` whether that was anything, and returns false when that way has ended.

bool ReadChannel(ssh_channel channel, std::string& down, bool& moved) {
  char buffer[32 << 10];
  while (down.size() < kRoom) {
    const int count =
        ssh_channel_read_nonblocking(channel, buffer, sizeof(buffer), 0);
    if (count > 0) {
      down.append(buffer, count);
      moved = true;
      continue;
    }
    return count != SSH_ERROR && !ssh_channel_is_eof(channel) &&
           ssh_channel_is_open(channel);
  }
  return true;
}

bool WriteSocket(int socket, std::string& down, bool& moved) {
  if (down.empty()) return true;
  const ssize_t count =
      send(socket, down.data(), down.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  down.erase(0, count);
  moved = true;
  return true;
}

bool ReadSocket(int socket, std::string& up, bool& moved) {
  char buffer[32 << 10];
  while (up.size() < kRoom) {
    const ssize_t count = recv(socket, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    up.append(buffer, count);
    moved = true;
  }
  return true;
}

bool WriteChannel(ssh_channel channel, std::string& up, bool& moved) {
  if (up.empty()) return true;
  const int count = ssh_channel_write(channel, up.data(), up.size());
  if (count < 0) return count == SSH_AGAIN;
  if (count > 0) moved = true;
  up.erase(0, count);
  return true;
}

// Lets the kernel acknowledge what came without waiting for more to say: sshd
// sends the far side's answer only when the note of room before it, which it
// sends by itself, has been acknowledged. Else each answer takes 40 ms. The
// kernel forgets it again, so it is said each time.
void AnswerAtOnce(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Jump>> Jump::Open(SshSession session,
                                                 const SshTarget& target) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                 ends) != 0) {
    return ErrnoToStatus(errno, "socketpair");
  }
  UniqueFd near(ends[0]);
  UniqueFd far(ends[1]);
  ssh_channel channel = ssh_channel_new(session.get());
  if (channel == nullptr ||
      ssh_channel_open_forward(channel, target.host.c_str(), target.port,
                               "localhost", 0) != SSH_OK) {
    return SshError(
        absl::StrCat("the jump host can't connect to ", Endpoint(target)),
        session.get());
  }
  ssh_set_blocking(session.get(), 0);
  return std::unique_ptr<Jump>(
      new Jump(std::move(session), channel, std::move(near), std::move(far)));
}

Jump::Jump(SshSession session, ssh_channel channel, UniqueFd near, UniqueFd far)
    : session_(std::move(session)),
      channel_(channel),
      near_(std::move(near)),
      far_(std::move(far)),
      thread_([this] { Pump(); }) {}

Jump::~Jump() {
  ending_ = true;
  shutdown(far_.get(), SHUT_RDWR);
  thread_.join();
}

void Jump::Pump() {
  std::string up;
  std::string down;
  const ssh_session session = session_.get();
  while (!ending_) {
    bool moved = false;
    const bool open = ReadChannel(channel_, down, moved);
    if (!WriteSocket(far_.get(), down, moved)) break;
    if (!open && down.empty()) break;
    if (!ReadSocket(far_.get(), up, moved)) break;
    if (!WriteChannel(channel_, up, moved)) break;
    if (moved) continue;
    AnswerAtOnce(ssh_get_fd(session));
    const bool flush = (ssh_get_poll_flags(session) & SSH_WRITE_PENDING) != 0;
    if (flush) ssh_blocking_flush(session, 0);
    pollfd fds[] = {{ssh_get_fd(session),
                     static_cast<short>((down.size() < kRoom ? POLLIN : 0) |
                                        (flush ? POLLOUT : 0)),
                     0},
                    {far_.get(),
                     static_cast<short>((up.size() < kRoom ? POLLIN : 0) |
                                        (down.empty() ? 0 : POLLOUT)),
                     0}};
    poll(fds, 2, kLookMilliseconds);
  }
  // Whoever speaks through it learns now that it has ended.
  shutdown(far_.get(), SHUT_RDWR);
}

}  // namespace berth::cli
