#ifndef BERTH_BASE_TOML_TEXT_H_
#define BERTH_BASE_TOML_TEXT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace berth {

// InvalidArgument, with `path` and the line, if `text` has a byte that is not
// ASCII outside of strings and comments, or behind a backslash in a string.
// toml++ 3.3 reaches what its authors took for unreachable when it meets one,
// so it must not. No TOML has such a byte, but for a string that goes on with it
// on the line behind one that ends with a backslash.
absl::Status CheckTomlText(absl::string_view text, absl::string_view path);

}  // namespace berth

#endif  // BERTH_BASE_TOML_TEXT_H_
