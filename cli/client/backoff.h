#ifndef BERTH_CLI_CLIENT_BACKOFF_H_
#define BERTH_CLI_CLIENT_BACKOFF_H_

#include <algorithm>

#include "absl/random/random.h"
#include "absl/time/time.h"

namespace berth::cli {

// How long to wait before the next attempt: longer each time, and at random,
// so that many clients that lost the same broker do not come back at once.
class Backoff {
 public:
  static constexpr absl::Duration kFirst = absl::Milliseconds(200);
  static constexpr absl::Duration kLongest = absl::Seconds(5);

  absl::Duration Next() {
    const absl::Duration delay = delay_;
    delay_ = std::min(delay_ * 2, kLongest);
    return delay * absl::Uniform(random_, 0.5, 1.0);
  }

  // The link is back.
  void Reset() { delay_ = kFirst; }

 private:
  absl::BitGen random_;
  absl::Duration delay_ = kFirst;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_BACKOFF_H_
