#include "cli/invocation/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace berth::cli {
namespace {

// What the kernel takes from one writev().
constexpr size_t kMaxPieces = 64;

// A blocking pipe or terminal that poll() calls writable takes this much.
constexpr size_t kSmallWrite = 4096;

// Removes the first `bytes` from `pieces`.
void Advance(absl::Span<iovec>& pieces, size_t bytes) {
  while (!pieces.empty() && bytes >= pieces.front().iov_len) {
    bytes -= pieces.front().iov_len;
    pieces.remove_prefix(1);
  }
  if (bytes == 0 || pieces.empty()) return;
  iovec& first = pieces.front();
  first.iov_base = static_cast<char*>(first.iov_base) + bytes;
  first.iov_len -= bytes;
}

}  // namespace

bool Output::IsTerminal() const {
  MutexLock lock(mu_);
  return !closed_ && isatty(fd_) == 1;
}

void Output::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  own_.reset();
}

absl::Status Output::Write(absl::string_view text) {
  iovec piece = {const_cast<char*>(text.data()), text.size()};
  return Write(absl::MakeSpan(&piece, 1)).status;
}

Output::Result Output::Write(absl::Span<iovec> pieces) {
  MutexLock lock(mu_);
  Result result;
  if (closed_) {
    result.status = absl::CancelledError("closed");
    return result;
  }
  if (kind_ == Kind::kUnknown) Prepare();
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  EnlargePipe(total);
  Advance(pieces, 0);
  while (!pieces.empty()) {
    const ssize_t written = WriteSome(pieces);
    if (written >= 0) {
      result.written += written;
      Advance(pieces, written);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      result.status = WaitWritable();
      if (!result.status.ok()) return result;
    } else if (errno == EPIPE) {
      result.status = absl::AbortedError("nobody reads the output any more");
      return result;
    } else if (errno != EINTR) {
      result.status = ErrnoToStatus(errno, "writing output");
      return result;
    }
  }
  return result;
}

void Output::Prepare() {
  struct stat info;
  kind_ = Kind::kPlain;
  if (fstat(fd_, &info) != 0) return;
  if (S_ISSOCK(info.st_mode)) {
    kind_ = Kind::kSocket;
  } else if (S_ISFIFO(info.st_mode) || isatty(fd_) == 1) {
    kind_ = Kind::kPolled;
    own_.reset(open(absl::StrCat("/proc/self/fd/", fd_).c_str(),
                    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  }
}

// Bulk output goes four times as far between two wake-ups with a larger pipe.
void Output::EnlargePipe(size_t bytes) {
  constexpr size_t kBulk = 64 << 10;
  constexpr int kPipeSize = 1 << 20;
  if (enlarged_ || bytes < kBulk || kind_ != Kind::kPolled) return;
  enlarged_ = true;
  // Refused for a terminal, and beyond a user's limit: then it stays.
  (void)fcntl(fd_, F_SETPIPE_SZ, kPipeSize);
}

ssize_t Output::WriteSome(absl::Span<iovec> pieces) {
  const int count = static_cast<int>(std::min(pieces.size(), kMaxPieces));
  if (kind_ == Kind::kSocket) {
    msghdr message = {};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    return sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (kind_ == Kind::kPlain) return writev(fd_, pieces.data(), count);
  if (own_.valid()) return writev(own_.get(), pieces.data(), count);
  pollfd writable = {fd_, POLLOUT, 0};
  if (poll(&writable, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return write(fd_, pieces.front().iov_base,
               std::min(pieces.front().iov_len, kSmallWrite));
}

absl::Status Output::WaitWritable() {
  if (signals_.left()) return absl::CancelledError("left");
  const int fd = own_.valid() ? own_.get() : fd_;
  pollfd fds[] = {{fd, POLLOUT, 0}, {signals_.left_fd(), POLLIN, 0}};
  if (poll(fds, 2, -1) < 0 && errno != EINTR) {
    return ErrnoToStatus(errno, "waiting to write output");
  }
  return absl::OkStatus();
}

}  // namespace berth::cli
