#ifndef BERTH_CLI_COMMANDS_RUN_H_
#define BERTH_CLI_COMMANDS_RUN_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth run`: runs a command in sessions. Returns the exit status.
int RunRun(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_RUN_H_
