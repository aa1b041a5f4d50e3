#ifndef BERTH_CLI_COMMANDS_SSH_CONFIG_H_
#define BERTH_CLI_COMMANDS_SSH_CONFIG_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth ssh-config`.
int RunSshConfig(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_SSH_CONFIG_H_
