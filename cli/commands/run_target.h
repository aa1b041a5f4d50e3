#ifndef BERTH_CLI_COMMANDS_RUN_TARGET_H_
#define BERTH_CLI_COMMANDS_RUN_TARGET_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/commands/targets.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// What to run, and how.
struct RunOptions {
  std::string script;
  std::optional<absl::Duration> wait;  // For a busy session; else 4 minutes.
  std::optional<absl::Duration> timeout;
  bool detach = false;
  bool exit_ends_session = false;
  bool no_input = false;  // It gets none.
  bool alone = false;     // There are no other targets.
};

// Runs the script in one session. With a `tag` its output comes in whole lines
// after it, and it gets no input; without one every byte passes as it is.
// Returns the exit status; tells the user whatever else there is to know.
int RunOnTarget(Invocation& invocation, Connection& connection,
                const Target& target, const RunOptions& options,
                const std::string& tag);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_RUN_TARGET_H_
