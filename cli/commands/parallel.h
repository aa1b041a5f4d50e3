#ifndef BERTH_CLI_COMMANDS_PARALLEL_H_
#define BERTH_CLI_COMMANDS_PARALLEL_H_

#include <cstddef>
#include <functional>

#include "absl/time/time.h"

namespace berth::cli {

// How many targets a command works on at a time.
inline constexpr size_t kThrottle = 32;

// Calls `work` with 0 to `count` - 1, at most kThrottle at a time, and waits
// for all.
void ForEachInParallel(size_t count, const std::function<void(size_t)>& work);

// The same, in order as far as that costs little: each has `head_start` before
// the next begins, unless it is done earlier.
void ForEachStaggered(size_t count, absl::Duration head_start,
                      const std::function<void(size_t)>& work);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_PARALLEL_H_
