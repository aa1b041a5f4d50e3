#include "cli/commands/agent.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/commands/agent_options.h"
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
  std::error_code error;
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe", error)
          .replace_filename("berth-ssh");
  if (access(program.c_str(), X_OK) != 0) {
    return invocation.Fail(absl::NotFoundError(absl::StrCat(
        program,
        ": not there, or not to be executed; it is the part of berth that "
        "speaks SSH: install it beside berth")));
  }
  std::vector<std::string> command = {program, "agent"};
  command.insert(command.end(), words.begin(), words.end());
  return invocation.Fail(invocation.Become(command));
}

}  // namespace berth::cli
