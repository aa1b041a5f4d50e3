#ifndef BERTH_AGENT_SESSIONS_FREEZE_H_
#define BERTH_AGENT_SESSIONS_FREEZE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace berth::agent {

// Whether this computer's administrator lets new sessions be made: a file
// "frozen" in the agent's state directory, which has the reason. It holds until
// it is taken away, whoever restarts what.

// Why no sessions are to be made; empty: they may be. A file that can't be
// read freezes, too.
std::string FrozenReason(const std::string& state_directory);

// INVALID_ARGUMENT: `reason` is not one line of 200 bytes at most.
absl::Status Freeze(const std::string& state_directory,
                    absl::string_view reason);
absl::Status Unfreeze(const std::string& state_directory);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_FREEZE_H_
