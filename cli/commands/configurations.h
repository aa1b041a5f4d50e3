#ifndef BERTH_CLI_COMMANDS_CONFIGURATIONS_H_
#define BERTH_CLI_COMMANDS_CONFIGURATIONS_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth configurations`: what sessions can be made from.
int RunConfigurations(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_CONFIGURATIONS_H_
