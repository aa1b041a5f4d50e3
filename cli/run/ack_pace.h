#ifndef BERTH_CLI_RUN_ACK_PACE_H_
#define BERTH_CLI_RUN_ACK_PACE_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace berth::cli {

// When a stream's output is to be acknowledged: often enough for the server to
// know how fast the link is, and the less often the faster it comes. Times are
// those of a monotonic clock. Used by one thread at a time.
class AckPace {
 public:
  static constexpr uint64_t kMinBytes = 32 << 10;
  static constexpr uint64_t kMaxBytes = 1 << 20;
  static constexpr absl::Duration kSoon = absl::Milliseconds(20);
  static constexpr absl::Duration kLate = absl::Milliseconds(100);

  // So much is acknowledged at once.
  uint64_t bytes() const { return bytes_; }
  // How long less than that may wait.
  static absl::Duration Delay(uint64_t unacknowledged) {
    return unacknowledged >= kMinBytes ? kSoon : kLate;
  }

  void Acknowledged(absl::Time now) {
    const absl::Duration since = now - at_;
    at_ = now;
    if (since < kSoon / 4) bytes_ = std::min(2 * bytes_, kMaxBytes);
    if (since > kSoon) bytes_ = std::max(bytes_ / 2, kMinBytes);
  }

 private:
  uint64_t bytes_ = kMinBytes;
  absl::Time at_ = absl::InfinitePast();
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_ACK_PACE_H_
