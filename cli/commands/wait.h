#ifndef BERTH_CLI_COMMANDS_WAIT_H_
#define BERTH_CLI_COMMANDS_WAIT_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// berth wait: waits for what happens in sessions.
int RunWait(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_WAIT_H_
