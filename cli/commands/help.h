#ifndef BERTH_CLI_COMMANDS_HELP_H_
#define BERTH_CLI_COMMANDS_HELP_H_

#include <string>
#include <vector>

#include "cli/commands/command.h"
#include "cli/help/description.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// berth help: prints the help of a command or a topic.
int RunHelp(Invocation& invocation, std::vector<std::string> words);

// What a command's own parser knows of it.
Description DescribeCommand(Invocation& invocation, const Command& command);

// Its whole --help.
std::string CommandHelp(Invocation& invocation, const Command& command);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_HELP_H_
