#ifndef BERTH_CLI_INSTALL_RUN_H_
#define BERTH_CLI_INSTALL_RUN_H_

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth agent install`, whose words are the invocation's, with SSH. Returns
// the exit status: 1 if a host failed.
int RunInstall(Invocation& invocation);

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_RUN_H_
