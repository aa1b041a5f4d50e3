#ifndef BERTH_CLI_COMMANDS_ADMIN_H_
#define BERTH_CLI_COMMANDS_ADMIN_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth admin`: for administrators. Returns the exit status.
int RunAdmin(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_ADMIN_H_
