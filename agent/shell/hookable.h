#ifndef BERTH_AGENT_SHELL_HOOKABLE_H_
#define BERTH_AGENT_SHELL_HOOKABLE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace berth::shell {

// Whether the program at `path` is a bash that the hook can be loaded into.
// FAILED_PRECONDITION says why not: not an ELF program, statically linked, for
// another C library, or without the symbols that the hook needs. NOT_FOUND,
// PERMISSION_DENIED: it can't be read.
absl::Status CheckHookable(const std::string& path);

// The same for the bytes of the program.
absl::Status CheckHookableImage(absl::string_view path, absl::string_view elf);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_HOOKABLE_H_
