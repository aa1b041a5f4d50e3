#ifndef BERTH_CLI_COMMANDS_APPROVAL_H_
#define BERTH_CLI_COMMANDS_APPROVAL_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth approval`: asking for what a role grants after others have agreed, and
// agreeing. Returns the exit status.
int RunApproval(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_APPROVAL_H_
