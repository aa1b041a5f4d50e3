#ifndef BERTH_AGENT_AGENT_LOCK_H_
#define BERTH_AGENT_AGENT_LOCK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace berth::agent {

// Locks an agent's state directory for as long as the result is open, and notes
// who does: two agents on one directory would both watch its sessions. Waits up
// to 2 s for one that just died.
// FAILED_PRECONDITION: another does already.
absl::StatusOr<UniqueFd> LockDirectory(const std::string& directory);

// Tells the agent that has locked `directory` to read its configurations again.
// False: none has.
absl::StatusOr<bool> TellAgentToReload(const std::string& directory);

// Has the agent that has locked `directory` execute its program again, and
// waits, for at most 30 s, until it has locked it anew.
// FAILED_PRECONDITION: no agent has. UNAVAILABLE: it ended meanwhile, or
// can't be told. DEADLINE_EXCEEDED: it has not begun anew.
absl::Status RestartAgent(const std::string& directory);

}  // namespace berth::agent

#endif  // BERTH_AGENT_AGENT_LOCK_H_
