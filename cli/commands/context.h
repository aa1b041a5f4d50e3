#ifndef BERTH_CLI_COMMANDS_CONTEXT_H_
#define BERTH_CLI_COMMANDS_CONTEXT_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth context`: brokers to talk to. Returns the exit status.
int RunContext(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_CONTEXT_H_
