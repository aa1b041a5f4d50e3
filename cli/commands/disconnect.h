#ifndef BERTH_CLI_COMMANDS_DISCONNECT_H_
#define BERTH_CLI_COMMANDS_DISCONNECT_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth disconnect`: lets go of sessions. Returns the exit status.
int RunDisconnect(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_DISCONNECT_H_
