#ifndef BERTH_CLI_RUN_PATIENCE_H_
#define BERTH_CLI_RUN_PATIENCE_H_

#include "absl/time/time.h"
#include "cli/invocation/environment.h"

namespace berth::cli {

// How long a command whose connection was lost is looked for: 4 minutes, as
// long as a broker may take to be replaced; or BERTH_RECONNECT, such as "10m".
absl::Duration ReconnectPatience(const Environment& environment);

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_PATIENCE_H_
