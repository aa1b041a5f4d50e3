#ifndef BERTH_CLI_COMMANDS_AGENT_H_
#define BERTH_CLI_COMMANDS_AGENT_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth agent`: installs agents and upgrades them. What takes SSH is done by
// berth-ssh, which takes the place of this process: so it is never done in a
// keeper. Returns the exit status.
int RunAgent(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_AGENT_H_
