#ifndef BERTH_CLI_RENDER_DURATION_H_
#define BERTH_CLI_RENDER_DURATION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace berth::cli {

// Reads what people write: "90s", "5m", "1h30m", "2d", "500ms".
// InvalidArgument for anything else, for less than nothing, and for more than
// 366 days.
absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text);

// Short, for tables: "0s", "42s", "5m", "1h30m", "3d4h".
std::string ShortDuration(absl::Duration duration);

}  // namespace berth::cli

#endif  // BERTH_CLI_RENDER_DURATION_H_
