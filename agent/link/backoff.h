#ifndef BERTH_AGENT_LINK_BACKOFF_H_
#define BERTH_AGENT_LINK_BACKOFF_H_

#include <algorithm>

#include "absl/random/bit_gen_ref.h"
#include "absl/random/random.h"
#include "absl/time/time.h"

namespace berth::agent {

// How long to wait before the next attempt to reach the broker: a random part
// of a time that doubles, so that the agents of a fleet don't come back all at
// once after their broker was restarted. Thread-compatible.
class Backoff {
 public:
  static constexpr absl::Duration kFirst = absl::Milliseconds(100);
  static constexpr absl::Duration kLongest = absl::Seconds(30);

  // The link was up.
  void Reset() { bound_ = kFirst; }

  // `pushback`: what the broker asked for (0: nothing), which is waited first.
  absl::Duration Next(absl::BitGenRef random, absl::Duration pushback) {
    const absl::Duration wait = bound_ * absl::Uniform(random, 0.0, 1.0);
    bound_ = std::min(bound_ * 2, kLongest);
    return pushback + wait;
  }

 private:
  absl::Duration bound_ = kFirst;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_BACKOFF_H_
