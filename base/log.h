#ifndef BERTH_BASE_LOG_H_
#define BERTH_BASE_LOG_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace berth {

// Makes spdlog's default logger write to standard error, a line each, with
// time, level and `program`. InvalidArgument if `level` is not one of trace,
// debug, info, warning, error, critical, off. Call once, early in main().
absl::Status InitLog(absl::string_view program, absl::string_view level);

}  // namespace berth

#endif  // BERTH_BASE_LOG_H_
