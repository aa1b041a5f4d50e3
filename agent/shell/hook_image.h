#ifndef BERTH_AGENT_SHELL_HOOK_IMAGE_H_
#define BERTH_AGENT_SHELL_HOOK_IMAGE_H_

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace berth::shell {

// A new memory file with the shared object that hooks bash (hook/). It is part
// of this program, so nothing needs to be installed beside it.
absl::StatusOr<UniqueFd> NewHookImage();

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_HOOK_IMAGE_H_
