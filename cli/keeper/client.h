#ifndef BERTH_CLI_KEEPER_CLIENT_H_
#define BERTH_CLI_KEEPER_CLIENT_H_

#include <optional>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// Has the keeper do a command, starting one if there is none, and passes it
// the signals that come meanwhile. Returns the exit status; nothing if there
// can be no keeper, or it refused: then nothing was done. To be called before
// this process has threads.
std::optional<int> RunInKeeper(const Invocation::Params& params);

// `berth keeper status` and `berth keeper stop`. Returns the exit status.
int RunKeeperCommand(const Invocation::Params& params);

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_CLIENT_H_
