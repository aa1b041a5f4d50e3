#ifndef BERTH_CLI_COMMANDS_ENTER_H_
#define BERTH_CLI_COMMANDS_ENTER_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth enter`: see Command::run.
int RunEnter(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_ENTER_H_
