#ifndef BERTH_AGENT_PROGRAMS_H_
#define BERTH_AGENT_PROGRAMS_H_

#include "absl/status/status.h"
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

// `berth-agent serve`: hosts sessions until SIGTERM or SIGINT. Call it before
// there is any thread.
absl::Status RunServe(const ServeOptions& options);

}  // namespace berth::agent

#endif  // BERTH_AGENT_PROGRAMS_H_
