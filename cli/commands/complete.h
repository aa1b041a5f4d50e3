#ifndef BERTH_CLI_COMMANDS_COMPLETE_H_
#define BERTH_CLI_COMMANDS_COMPLETE_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// berth complete: what may be typed next, for the shells' completion.
int RunComplete(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_COMPLETE_H_
