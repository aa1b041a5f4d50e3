#ifndef BERTH_BASE_TOML_TEXT_H_
#define BERTH_BASE_TOML_TEXT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace berth {

// InvalidArgument, with `path` and the line, if `text` has a byte that is not
// ASCII outside of strings and comments. No TOML has; but toml++ 3.3 reaches
// what its authors took for unreachable when it meets one, so it must not.
absl::Status CheckTomlText(absl::string_view text, absl::string_view path);

}  // namespace berth

#endif  // BERTH_BASE_TOML_TEXT_H_
