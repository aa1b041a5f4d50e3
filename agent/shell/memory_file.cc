#include "agent/shell/memory_file.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/files.h"
#include "base/status_macros.h"

namespace berth::shell {

absl::StatusOr<UniqueFd> NewMemoryFile(const char* name,
                                       absl::string_view content) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoToStatus(errno, "memfd_create");
  BERTH_RETURN_IF_ERROR(WriteAll(fd.get(), content));
  if (lseek(fd.get(), 0, SEEK_SET) < 0) return ErrnoToStatus(errno, "lseek");
  return fd;
}

}  // namespace berth::shell
