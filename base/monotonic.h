#ifndef BERTH_BASE_MONOTONIC_H_
#define BERTH_BASE_MONOTONIC_H_

#include <time.h>

#include "absl/time/time.h"

namespace berth {

// The time on a clock that nobody sets. For deadlines and durations: the other
// clock may jump by hours meanwhile. It means nothing to another computer.
inline absl::Time MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

}  // namespace berth

#endif  // BERTH_BASE_MONOTONIC_H_
