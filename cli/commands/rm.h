#ifndef BERTH_CLI_COMMANDS_RM_H_
#define BERTH_CLI_COMMANDS_RM_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth rm`: ends sessions. Returns the exit status.
int RunRm(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_RM_H_
