#ifndef BERTH_CLI_FANOUT_LINE_DIFF_H_
#define BERTH_CLI_FANOUT_LINE_DIFF_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace berth::cli {

// The unified difference from `a` to `b`, without a head: hunks with three
// lines around each change. Empty if they are the same. Nothing if they differ
// too much for that to be of use (or of bounded cost).
std::optional<std::string> LineDiff(absl::string_view a, absl::string_view b);

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_LINE_DIFF_H_
