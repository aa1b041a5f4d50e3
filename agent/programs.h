#ifndef BERTH_AGENT_PROGRAMS_H_
#define BERTH_AGENT_PROGRAMS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/options.h"

namespace berth::agent {

// `berth-agent join`: makes this computer part of a fleet. One that is part
// of it already stays so, with its certificate, and the token is not used.
absl::Status RunJoin(const JoinOptions& options);

// `berth-agent leave`: ends the sessions, if that is wanted, and forgets the
// fleet. FAILED_PRECONDITION: an agent is at work.
absl::Status RunLeave(const LeaveOptions& options);

// Lets no new sessions be made here, or lets them again, and tells the agent.
absl::Status RunFreeze(const FreezeOptions& options);

// `berth-agent restart`: has the agent that serves the directory begin anew, in
// the same process, with the program that is installed now; returns once it
// has. FAILED_PRECONDITION: none runs. UNAVAILABLE: it ended instead.
absl::Status RunRestart(const RestartOptions& options);

// Why `berth-agent serve` ended.
enum class ServeEnd {
  kStopped,    // SIGTERM or SIGINT.
  kBeginAnew,  // SIGUSR1: execute the program again, as it is now.
};

// `berth-agent serve`: hosts sessions until a signal. Call it before there is
// any thread.
absl::StatusOr<ServeEnd> RunServe(const ServeOptions& options);

}  // namespace berth::agent

#endif  // BERTH_AGENT_PROGRAMS_H_
