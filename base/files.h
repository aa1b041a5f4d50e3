#ifndef BERTH_BASE_FILES_H_
#define BERTH_BASE_FILES_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth {

// The status for errno `error`, with the canonical code that fits and the text
// "<what>: <reason>".
absl::Status ErrnoToStatus(int error, absl::string_view what);

// Reads a whole file. NotFound; ResourceExhausted if it is over `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     size_t max_bytes = 16 << 20);

// Reads a file that nobody but us may read, such as a private key.
// FailedPrecondition says how to mend it if its mode lets others.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

// Replaces `path` so that a reader, or a crash, sees the old content or the new
// one and nothing between. Does not follow a link at `path`.
absl::Status WriteFileAtomically(const std::string& path,
                                 absl::string_view data, mode_t mode = 0600);

// Makes `path` and its parents, all with mode 0700 as the XDG specification
// wants, or checks what is there: `path` must be a directory of ours that
// nobody else may enter, or FailedPrecondition.
absl::Status MakePrivateDirectory(const std::string& path);

// Writes all of `data` to a blocking descriptor.
absl::Status WriteAll(int fd, absl::string_view data);

}  // namespace berth

#endif  // BERTH_BASE_FILES_H_
