#ifndef BERTH_CLI_SSH_RULES_H_
#define BERTH_CLI_SSH_RULES_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"
#include "cli/ssh/ssh_session.h"

namespace berth::cli {

// Who the user is where no name is given: as ssh has it.
std::string LoginName();

// The rules that these options of the user say.
struct SshOptions {
  std::vector<std::string> identities;
  std::string known_hosts;
  bool accept_new = false;
};
SshRules MakeSshRules(Invocation& invocation, const SshOptions& options);

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_RULES_H_
