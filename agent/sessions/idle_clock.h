#ifndef BERTH_AGENT_SESSIONS_IDLE_CLOCK_H_
#define BERTH_AGENT_SESSIONS_IDLE_CLOCK_H_

#include <optional>

#include "absl/time/time.h"

namespace berth::agent {

// Says when a session that nobody uses has to end. It runs only while nobody
// holds the session and nothing runs in it, and starts anew each time. `now`
// is a time that does not jump, since any beginning. An infinite timeout never
// ends anything. Thread-compatible.
class IdleClock {
 public:
  explicit IdleClock(absl::Duration timeout) : timeout_(timeout) {}

  // Tells whether the session is in use. The clock starts when it no longer
  // is; it was so for `already`.
  void Update(bool in_use, absl::Duration now,
              absl::Duration already = absl::ZeroDuration()) {
    if (in_use) {
      started_.reset();
    } else if (!started_.has_value()) {
      started_ = now - already;
    }
  }

  void set_timeout(absl::Duration timeout) { timeout_ = timeout; }
  absl::Duration timeout() const { return timeout_; }

  // When it was started. Not set while it does not run.
  std::optional<absl::Duration> started() const { return started_; }

  // How long until the session has to end, maybe less than nothing. Not set
  // while the clock does not run.
  std::optional<absl::Duration> Left(absl::Duration now) const {
    if (!started_.has_value() || timeout_ == absl::InfiniteDuration()) {
      return std::nullopt;
    }
    return *started_ + timeout_ - now;
  }

 private:
  absl::Duration timeout_;
  std::optional<absl::Duration> started_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_IDLE_CLOCK_H_
