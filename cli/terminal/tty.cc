#include "cli/terminal/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace berth::cli {

Tty::Tty(int fd)
    : fd_(fd),
      own_(open(absl::StrCat("/proc/self/fd/", fd).c_str(),
                O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {}

absl::Status Tty::MakeRaw() {
  MutexLock lock(mu_);
  if (raw_) return absl::OkStatus();
  if (tcgetattr(fd_, &saved_) != 0) {
    return absl::FailedPreconditionError("standard input is no terminal");
  }
  termios raw = saved_;
  cfmakeraw(&raw);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  if (tcsetattr(fd_, TCSANOW, &raw) != 0) {
    return ErrnoToStatus(errno, "setting up the terminal");
  }
  raw_ = true;
  return absl::OkStatus();
}

void Tty::Restore() {
  MutexLock lock(mu_);
  if (!raw_) return;
  raw_ = false;
  // If it is gone there is nothing to restore.
  (void)tcsetattr(fd_, TCSANOW, &saved_);
}

v1::TerminalSize Tty::Size() const {
  winsize its = {};
  v1::TerminalSize size;
  if (ioctl(fd_, TIOCGWINSZ, &its) != 0) its = {};
  size.set_rows(its.ws_row == 0 ? 24 : its.ws_row);
  size.set_columns(its.ws_col == 0 ? 80 : its.ws_col);
  return size;
}

ssize_t Tty::Read(void* buffer, size_t size) {
  return read(fd(), buffer, size);
}

}  // namespace berth::cli
