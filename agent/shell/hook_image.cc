#include "agent/shell/hook_image.h"

#include "absl/strings/string_view.h"
#include "agent/shell/memory_file.h"

namespace berth::shell {
namespace {

constexpr unsigned char kHook[] = {
#include "agent/shell/hook_bytes.inc"
};

}  // namespace

absl::StatusOr<UniqueFd> NewHookImage() {
  return NewMemoryFile(
      "bash-hook",
      absl::string_view(reinterpret_cast<const char*>(kHook), sizeof(kHook)));
}

}  // namespace berth::shell
