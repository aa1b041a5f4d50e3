#ifndef BERTH_CLI_FANOUT_OUTCOME_H_
#define BERTH_CLI_FANOUT_OUTCOME_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// How a command on one of several targets ended: each ends in exactly one of
// these. In the order of the summary.
enum class TargetState {
  kOk,           // Its exit status is 0.
  kFailed,       // Its exit status is not, or its end was not seen.
  kTimedOut,     // A deadline of the user's passed.
  kUnreachable,  // Its computer, or the broker, is out of reach.
  kRefused,      // The broker or the agent would not do it.
  kCancelled,    // The user interrupted it, or left.
  kSkipped,      // It was never begun.
};

struct Outcome {
  TargetState state = TargetState::kOk;
  int exit_code = 0;   // As ExitStatusOf(): what it adds to the whole.
  std::string detail;  // For people; may be empty.
};

// "ok", "timed out" and so on.
absl::string_view StateName(TargetState state);

// The same with the status: "failed(1)", or "failed(SIGKILL)".
std::string Describe(const Outcome& outcome);

// For a command that ended so. `stopped`: this client interrupted it;
// `expired`: since its time was over.
Outcome OutcomeOf(const v1::CommandEnded& ended, bool stopped, bool expired);

// For a target that failed with this status, before or after it began.
Outcome OutcomeOf(const absl::Status& status);

// Those that this side decides.
Outcome TimedOut(absl::string_view detail);
Outcome Cancelled(absl::string_view detail);
Outcome Skipped(absl::string_view detail, int exit_code);

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_OUTCOME_H_
