#ifndef BERTH_AGENT_SESSIONS_HOLDER_VERSION_H_
#define BERTH_AGENT_SESSIONS_HOLDER_VERSION_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace berth::agent {

// The version of the holders' protocol (proto/berth/holder/v1) that this agent
// speaks. Sessions outlive the agent that made them, so it meets holders of the
// version before, and after it was replaced by an older agent, of the next.
inline constexpr uint32_t kHolderVersion = 2;

// From this version on, holders draw their terminal's screen, know whose
// typing they get, and change what happens when the log is full.
inline constexpr uint32_t kScreensVersion = 2;

// What a HolderStart says of itself that a holder must know all about, as it
// takes rights away: one that doesn't refuses it.
inline constexpr uint32_t kStrictStartVersion = 3;

// The same of one that is within a login session: limits are among its rights.
inline constexpr uint32_t kLoginStartVersion = 4;

// Whether this agent can speak to a holder of `version`. FAILED_PRECONDITION
// says which it can, and what to do.
absl::Status CheckHolderVersion(uint32_t version);

// The version of the holder of the session in `directory`. If it has not said
// that in a way that can be read, the oldest: what that knows all know.
uint32_t HolderVersionOf(const std::string& directory);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_HOLDER_VERSION_H_
