#include "agent/shell/hook_image.h"

#include <errno.h>
#include <sys/mman.h>

#include "absl/strings/string_view.h"
#include "base/files.h"

namespace berth::shell {
namespace {

constexpr unsigned char kHook[] = {
#include "agent/shell/hook_bytes.inc"
};

}  // namespace

absl::StatusOr<UniqueFd> NewHookImage() {
  UniqueFd fd(memfd_create("bash-hook", MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoToStatus(errno, "memfd_create");
  absl::Status written = WriteAll(
      fd.get(),
      absl::string_view(reinterpret_cast<const char*>(kHook), sizeof(kHook)));
  if (!written.ok()) return written;
  return fd;
}

}  // namespace berth::shell
