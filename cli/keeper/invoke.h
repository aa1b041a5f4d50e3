#ifndef BERTH_CLI_KEEPER_INVOKE_H_
#define BERTH_CLI_KEEPER_INVOKE_H_

#include "cli/invocation/invocation.h"
#include "cli/keeper/keeper.pb.h"

namespace berth::cli {

// A command line as a message, and back; but for the descriptors.
keeper::Invoke ToInvoke(const Invocation::Params& params);
Invocation::Params ToParams(const keeper::Invoke& invoke);

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_INVOKE_H_
