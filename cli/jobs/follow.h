#ifndef BERTH_CLI_JOBS_FOLLOW_H_
#define BERTH_CLI_JOBS_FOLLOW_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/fanout/outcome.h"
#include "cli/invocation/invocation.h"
#include "cli/jobs/job.pb.h"

namespace berth::cli {

// How far one target of a job is.
struct JobTargetState {
  enum class Phase { kRunning, kWaiting, kEnded, kGone };
  Phase phase = Phase::kGone;
  Outcome outcome;  // If it has ended.
};

// "running", "waiting", "gone", or how it ended.
std::string Describe(const JobTargetState& state);

// How far the targets of a job are, in order: asked of the broker, and of the
// sessions that have run something else since.
absl::StatusOr<std::vector<JobTargetState>> AskJob(Invocation& invocation,
                                                   Connection& connection,
                                                   const jobs::Job& job);

// Waits until a job has ended everywhere, and tells how. Returns the exit
// status: as `run`; 124 if `timeout` has passed.
int WaitForJob(Invocation& invocation, Connection& connection,
               const jobs::Job& job, std::optional<absl::Duration> timeout);

// Prints what the targets of a job printed and nobody received yet (or all of
// it), with their names in front, and follows those that still run unless
// `no_follow`. Returns the exit status: 0, or as `receive`.
int ReceiveJob(Invocation& invocation, Connection& connection,
               const jobs::Job& job, bool from_start, bool no_follow);

}  // namespace berth::cli

#endif  // BERTH_CLI_JOBS_FOLLOW_H_
