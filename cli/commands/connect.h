#ifndef BERTH_CLI_COMMANDS_CONNECT_H_
#define BERTH_CLI_COMMANDS_CONNECT_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth connect`: holds sessions. Returns the exit status.
int RunConnect(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_CONNECT_H_
