#ifndef BERTH_CLI_LOGIN_RUN_H_
#define BERTH_CLI_LOGIN_RUN_H_

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth login`, whose words are the invocation's. Returns the exit status.
int RunLogin(Invocation& invocation);

}  // namespace berth::cli

#endif  // BERTH_CLI_LOGIN_RUN_H_
