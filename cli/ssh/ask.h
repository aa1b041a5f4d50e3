#ifndef BERTH_CLI_SSH_ASK_H_
#define BERTH_CLI_SSH_ASK_H_

#include <string>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// Whether there is a person to be asked.
bool CanAsk(Invocation& invocation);

// Asks them what takes "yes". False: no, no answer within a minute, or they
// left. Control bytes of the question are escaped.
bool AskYes(Invocation& invocation, const std::string& question);

}  // namespace berth::cli

#endif  // BERTH_CLI_SSH_ASK_H_
