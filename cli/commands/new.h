#ifndef BERTH_CLI_COMMANDS_NEW_H_
#define BERTH_CLI_COMMANDS_NEW_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth new`: makes sessions. Returns the exit status.
int RunNew(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_NEW_H_
