#include "agent/shell/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/files.h"
#include "base/status_macros.h"

namespace berth::shell {

namespace {

absl::StatusOr<UniqueFd> Make(const char* name, unsigned flags,
                              absl::string_view content) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC | flags));
  if (!fd.valid()) return ErrnoToStatus(errno, "memfd_create");
  BERTH_RETURN_IF_ERROR(WriteAll(fd.get(), content));
  if (lseek(fd.get(), 0, SEEK_SET) < 0) return ErrnoToStatus(errno, "lseek");
  return fd;
}

}  // namespace

absl::StatusOr<UniqueFd> NewMemoryFile(const char* name,
                                       absl::string_view content) {
  return Make(name, 0, content);
}

absl::StatusOr<UniqueFd> NewSealedFile(const char* name,
                                       absl::string_view content) {
  BERTH_ASSIGN_OR_RETURN(UniqueFd fd, Make(name, MFD_ALLOW_SEALING, content));
  if (fcntl(fd.get(), F_ADD_SEALS,
            F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return ErrnoToStatus(errno, "sealing a file in memory");
  }
  return fd;
}

}  // namespace berth::shell
