#ifndef BERTH_CLI_COMMANDS_CP_H_
#define BERTH_CLI_COMMANDS_CP_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth cp`: copies files to sessions and from there. Returns the exit status.
int RunCp(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_CP_H_
