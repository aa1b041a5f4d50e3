#ifndef BERTH_CLI_COMMANDS_AGENT_OPTIONS_H_
#define BERTH_CLI_COMMANDS_AGENT_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/install/options.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// The command line of `berth agent`.
struct AgentOptions {
  std::string context;
  bool upgrades = false;  // Else it installs.
  InstallOptions install;
  UpgradeOptions upgrade;
};

// Reads the words after "agent". Returns the exit status if that was all.
std::optional<int> ParseAgentOptions(Invocation& invocation,
                                     std::vector<std::string> words,
                                     AgentOptions& options);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_AGENT_OPTIONS_H_
