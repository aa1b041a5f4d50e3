#ifndef BERTH_CLI_DIRECT_H_
#define BERTH_CLI_DIRECT_H_

#include "cli/invocation/invocation.h"

namespace berth::cli {

// Does a command in this process, without a keeper. Takes over the process's
// signals. Returns the exit status.
int RunDirectly(Invocation::Params params);

}  // namespace berth::cli

#endif  // BERTH_CLI_DIRECT_H_
