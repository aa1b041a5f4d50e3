#ifndef BERTH_CLI_COMMANDS_COMPLETION_H_
#define BERTH_CLI_COMMANDS_COMPLETION_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// berth completion: prints a script that teaches a shell to complete.
int RunCompletion(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_COMPLETION_H_
