#ifndef BERTH_CLI_COMMANDS_RECEIVE_H_
#define BERTH_CLI_COMMANDS_RECEIVE_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth receive`: reads what commands printed. Returns the exit status.
int RunReceive(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_RECEIVE_H_
