#include "cli/invocation/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace berth::cli {

bool Input::HasData() const {
  struct stat info;
  if (fd_ < 0 || fstat(fd_, &info) != 0) return false;
  if (S_ISFIFO(info.st_mode) || S_ISREG(info.st_mode) ||
      S_ISSOCK(info.st_mode)) {
    return true;
  }
  // Device 1, 3 is /dev/null, by whatever name.
  return S_ISCHR(info.st_mode) && isatty(fd_) != 1 &&
         info.st_rdev != makedev(1, 3);
}

void Input::Prepare() {
  struct stat info;
  if (fstat(fd_, &info) != 0 || !S_ISFIFO(info.st_mode)) return;
  constexpr int kPipeSize = 1 << 20;
  (void)fcntl(fd_, F_SETPIPE_SZ, kPipeSize);
  own_.reset(open(absl::StrCat("/proc/self/fd/", fd_).c_str(),
                  O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

ssize_t Input::Read(void* buffer, size_t size) {
  return read(fd(), buffer, size);
}

}  // namespace berth::cli
