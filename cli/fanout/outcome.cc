#include "cli/fanout/outcome.h"

#include <string.h>

#include "absl/strings/str_cat.h"
#include "cli/run/exit_status.h"

namespace berth::cli {
namespace {

constexpr int kInterruptedExit = 130;

}  // namespace

absl::string_view StateName(TargetState state) {
  switch (state) {
    case TargetState::kOk:
      return "ok";
    case TargetState::kFailed:
      return "failed";
    case TargetState::kTimedOut:
      return "timed out";
    case TargetState::kUnreachable:
      return "unreachable";
    case TargetState::kRefused:
      return "refused";
    case TargetState::kCancelled:
      return "cancelled";
    case TargetState::kSkipped:
      return "skipped";
  }
  return "failed";
}

std::string Describe(const Outcome& outcome) {
  if (outcome.state != TargetState::kFailed) {
    return std::string(StateName(outcome.state));
  }
  // As shells tell that a signal ended it.
  const char* signal =
      outcome.exit_code > 128 ? sigabbrev_np(outcome.exit_code - 128) : nullptr;
  if (signal != nullptr) return absl::StrCat("failed(SIG", signal, ")");
  return absl::StrCat("failed(", outcome.exit_code, ")");
}

Outcome OutcomeOf(const v1::CommandEnded& ended, bool stopped, bool expired) {
  Outcome outcome;
  outcome.exit_code = ExitStatusOf(ended);
  outcome.detail = DescribeEnd(ended);
  switch (ended.how()) {
    case v1::CommandEnded::TIMED_OUT:
      outcome.state = TargetState::kTimedOut;
      return outcome;
    case v1::CommandEnded::INTERRUPTED:
      if (expired) return TimedOut("the time for all was over");
      if (stopped) return Cancelled("");
      break;
    case v1::CommandEnded::NOT_STARTED:
      outcome.state = TargetState::kRefused;
      return outcome;
    default:
      break;
  }
  outcome.state =
      outcome.exit_code == 0 ? TargetState::kOk : TargetState::kFailed;
  return outcome;
}

Outcome OutcomeOf(const absl::Status& status) {
  Outcome outcome;
  outcome.exit_code = kFailedExit;
  outcome.detail = std::string(status.message());
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      outcome.state = TargetState::kUnreachable;
      break;
    case absl::StatusCode::kDeadlineExceeded:
      return TimedOut(status.message());
    default:
      outcome.state = TargetState::kRefused;
  }
  return outcome;
}

Outcome TimedOut(absl::string_view detail) {
  return {TargetState::kTimedOut, kDeadlineExit, std::string(detail)};
}

Outcome Cancelled(absl::string_view detail) {
  return {TargetState::kCancelled, kInterruptedExit, std::string(detail)};
}

Outcome Skipped(absl::string_view detail, int exit_code) {
  return {TargetState::kSkipped, exit_code, std::string(detail)};
}

}  // namespace berth::cli
