#include "cli/commands/agent.h"

#include "cli/commands/agent_options.h"
#include "cli/commands/login.h"
#include "cli/install/upgrade.h"

namespace berth::cli {

int RunAgent(Invocation& invocation, std::vector<std::string> words) {
  AgentOptions options;
  if (const auto exit = ParseAgentOptions(invocation, words, options)) {
    return *exit;
  }
  if (options.upgrades) {
    return RunUpgrade(invocation, options.upgrade, options.context);
  }
  return BecomeSsh(invocation, "agent", words);
}

}  // namespace berth::cli
