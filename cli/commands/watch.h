#ifndef BERTH_CLI_COMMANDS_WATCH_H_
#define BERTH_CLI_COMMANDS_WATCH_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// berth watch: prints what happens to sessions, until it is interrupted.
int RunWatch(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_WATCH_H_
