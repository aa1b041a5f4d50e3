#include "cli/fanout/scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/escape.h"

namespace berth::cli {

absl::StatusOr<FailAfter> FailAfter::Parse(absl::string_view text) {
  FailAfter result;
  absl::string_view number = text;
  result.percent = absl::ConsumeSuffix(&number, "%");
  if (absl::SimpleAtoi(number, &result.number) && result.number > 0 &&
      (!result.percent || result.number <= 100)) {
    return result;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", EscapeForTerminal(text),
                   "' is not a number of failures; write 3, or 10%"));
}

size_t FailAfter::FailuresOf(size_t count) const {
  if (!percent) return number;
  return std::max<size_t>(1, (count * number + 99) / 100);
}

Scheduler::Scheduler(size_t count, size_t throttle,
                     const std::optional<FailAfter>& fail_after)
    : throttle_(throttle == 0 ? kThrottle : throttle),
      fail_after_(fail_after ? fail_after->FailuresOf(count) : 0),
      outcomes_(count) {}

std::optional<size_t> Scheduler::Next() {
  if (next_ == outcomes_.size() || running_ >= throttle_) return std::nullopt;
  ++running_;
  return next_++;
}

void Scheduler::Ended(size_t target, Outcome outcome) {
  if (outcomes_[target]) return;
  --running_;
  const bool bad = outcome.state != TargetState::kOk;
  if (bad) ++failed_;
  Record(target, std::move(outcome));
  if (bad && fail_after_ > 0 && failed_ >= fail_after_) {
    Stop(Skipped(absl::StrCat("after ", failed_, " failures"), 0));
  }
}

void Scheduler::Stop(const Outcome& skipped) {
  while (next_ < outcomes_.size()) Record(next_++, skipped);
}

void Scheduler::Record(size_t target, Outcome outcome) {
  exit_code_ = std::max(exit_code_, outcome.exit_code);
  outcomes_[target] = std::move(outcome);
  ++ended_;
}

}  // namespace berth::cli
