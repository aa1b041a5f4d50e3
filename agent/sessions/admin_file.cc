#include "agent/sessions/admin_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/unique_fd.h"

namespace berth::agent {

absl::StatusOr<std::string> ReadAdminFile(const std::string& path,
                                          size_t max_bytes) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return ErrnoToStatus(errno, path);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return ErrnoToStatus(errno, path);
  const uid_t own = geteuid();
  // Where users have groups of their own, files are theirs to write as well.
  const mode_t others = own == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;
  if ((info.st_uid == 0 || info.st_uid == own) &&
      (info.st_mode & others) == 0) {
    // That very file, whatever has its name by now.
    return ReadFile(absl::StrCat("/proc/self/fd/", file.get()), max_bytes);
  }
  return absl::FailedPreconditionError(absl::StrCat(
      path, " must be owned by ",
      own == 0 ? "root" : "root or the agent's user",
      ", and others must not be able to write it: chown it, or chmod go-w"));
}

}  // namespace berth::agent
