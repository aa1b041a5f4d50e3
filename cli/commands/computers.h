#ifndef BERTH_CLI_COMMANDS_COMPUTERS_H_
#define BERTH_CLI_COMMANDS_COMPUTERS_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth computers`: lists computers. Returns the exit status.
int RunComputers(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_COMPUTERS_H_
