#ifndef BERTH_CLI_DIRECT_H_
#define BERTH_CLI_DIRECT_H_

#include "cli/invocation/invocation.h"

namespace berth::cli {

// Does a command in this process, without a keeper. Takes over the process's
// signals. Returns the exit status.
int RunDirectly(Invocation::Params params);

// The same with another function than that for a `berth` command line.
int RunDirectly(Invocation::Params params, int (*command)(Invocation&));

}  // namespace berth::cli

#endif  // BERTH_CLI_DIRECT_H_
