#ifndef BERTH_CLI_COMMANDS_LOGIN_H_
#define BERTH_CLI_COMMANDS_LOGIN_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth login`: done by berth-ssh, which takes the place of this process.
// Returns the exit status.
int RunLoginCommand(Invocation& invocation, std::vector<std::string> words);

// `berth logout`: revokes what the last login has brought, and forgets it.
int RunLogout(Invocation& invocation, std::vector<std::string> words);

// Executes berth-ssh with these words. Returns the exit status if it can't.
int BecomeSsh(Invocation& invocation, const std::string& verb,
              const std::vector<std::string>& words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_LOGIN_H_
