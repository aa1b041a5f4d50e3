#ifndef BERTH_CLI_COMMANDS_LS_H_
#define BERTH_CLI_COMMANDS_LS_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth ls`: lists sessions. Returns the exit status.
int RunLs(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_LS_H_
