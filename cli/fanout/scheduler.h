#ifndef BERTH_CLI_FANOUT_SCHEDULER_H_
#define BERTH_CLI_FANOUT_SCHEDULER_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/fanout/outcome.h"

namespace berth::cli {

// When to begin no more: after so many failures, or such a part of all.
struct FailAfter {
  size_t number = 0;
  bool percent = false;

  // "3" or "10%".
  static absl::StatusOr<FailAfter> Parse(absl::string_view text);
  // At least 1.
  size_t FailuresOf(size_t count) const;
};

// Decides which target begins when, and keeps how each ended. What a target's
// end costs does not grow with their number. Not thread-safe.
class Scheduler {
 public:
  static constexpr size_t kThrottle = 32;

  // At most `throttle` at a time; 0 is kThrottle.
  Scheduler(size_t count, size_t throttle,
            const std::optional<FailAfter>& fail_after = std::nullopt);

  // The next to begin, in order. Nothing: as many are at work as may be, or
  // none is left.
  std::optional<size_t> Next();

  // A target that was begun has ended.
  void Ended(size_t target, Outcome outcome);

  // Those not begun are skipped, with this outcome.
  void Stop(const Outcome& skipped);

  bool done() const { return ended_ == outcomes_.size(); }
  bool stopped() const { return next_ == outcomes_.size() && !done(); }
  size_t count() const { return outcomes_.size(); }
  size_t ended() const { return ended_; }
  size_t failed() const { return failed_; }  // Neither ok nor skipped.
  size_t running() const { return running_; }

  // Set for those that have ended.
  const std::vector<std::optional<Outcome>>& outcomes() const {
    return outcomes_;
  }

  // For all together: 0, the largest status of a command, 124 or 125.
  int exit_code() const { return exit_code_; }

 private:
  void Record(size_t target, Outcome outcome);

  const size_t throttle_;
  const size_t fail_after_;  // 0: never.
  std::vector<std::optional<Outcome>> outcomes_;
  size_t next_ = 0;
  size_t running_ = 0;
  size_t ended_ = 0;
  size_t failed_ = 0;
  int exit_code_ = 0;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_SCHEDULER_H_
