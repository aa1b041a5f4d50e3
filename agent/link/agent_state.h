#ifndef BERTH_AGENT_LINK_AGENT_STATE_H_
#define BERTH_AGENT_LINK_AGENT_STATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace berth::agent {

// Who an agent is, as `berth-agent join` leaves it in the state directory.
struct AgentState {
  std::string broker;           // "host:port"
  std::string key_pem;          // Secret.
  std::string certificate_pem;  // Names this computer.
  std::string ca_pem;           // Whom the broker's certificate must be from.
};

// /var/lib/berth/agent for root, else below $XDG_STATE_HOME or ~/.local/state.
std::string DefaultStateDirectory();

// NOT_FOUND: the computer has not joined a fleet; the message says how to.
absl::StatusOr<AgentState> LoadAgentState(const std::string& directory);

// Writes all of it; the certificate last, since that is what makes it whole.
absl::Status SaveAgentState(const std::string& directory,
                            const AgentState& state);

// The name in the certificate.
absl::StatusOr<std::string> ComputerName(const AgentState& state);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_AGENT_STATE_H_
