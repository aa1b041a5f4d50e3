#ifndef BERTH_AGENT_CONFIGURATION_COMMAND_H_
#define BERTH_AGENT_CONFIGURATION_COMMAND_H_

#include "absl/status/status.h"
#include "agent/options.h"

namespace berth::agent {

// `berth-agent configuration`: lists, checks and changes what sessions can be
// made from, and tells the agent that runs there. Sessions that live are left
// as they are. NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, INVALID_ARGUMENT
// with the file and the line.
absl::Status RunConfiguration(const ConfigurationOptions& options);

}  // namespace berth::agent

#endif  // BERTH_AGENT_CONFIGURATION_COMMAND_H_
