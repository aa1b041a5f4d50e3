#ifndef BERTH_AGENT_SHELL_MEMORY_FILE_H_
#define BERTH_AGENT_SHELL_MEMORY_FILE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"

namespace berth::shell {

// A new file in memory, called `name` where processes are looked at, that
// holds `content` and is read from its beginning.
// The same, and nobody can change it any more.
absl::StatusOr<UniqueFd> NewSealedFile(const char* name,
                                       absl::string_view content);

absl::StatusOr<UniqueFd> NewMemoryFile(const char* name,
                                       absl::string_view content);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_MEMORY_FILE_H_
