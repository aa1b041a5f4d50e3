#ifndef BERTH_AGENT_SESSIONS_END_ALL_H_
#define BERTH_AGENT_SESSIONS_END_ALL_H_

#include <string>

#include "absl/status/status.h"

namespace berth::agent {

// Ends every session below an agent's state directory, of which no agent is at
// work: their shells and all that runs in them. Their output stays.
// DEADLINE_EXCEEDED names a session that did not end.
absl::Status EndAllSessions(const std::string& state_directory);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_END_ALL_H_
