#ifndef BERTH_AGENT_SHELL_MONOTONIC_H_
#define BERTH_AGENT_SHELL_MONOTONIC_H_

#include <time.h>

#include "absl/time/time.h"

namespace berth::shell {

// Now, of a clock that nobody can set. Only differences mean something.
inline absl::Time MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_MONOTONIC_H_
