#ifndef BERTH_CLI_CONFIG_PATHS_H_
#define BERTH_CLI_CONFIG_PATHS_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/invocation/environment.h"

namespace berth::cli {

// Where Berth keeps a user's files, by the XDG base directory rules.
// FailedPrecondition if neither the XDG variable nor HOME is set.

// config.toml: $XDG_CONFIG_HOME/berth, else ~/.config/berth.
absl::StatusOr<std::string> ConfigDirectory(const Environment& environment);

// client-id, keeper.log: $XDG_STATE_HOME/berth, else ~/.local/state/berth.
absl::StatusOr<std::string> StateDirectory(const Environment& environment);

// The keeper's socket: $XDG_RUNTIME_DIR/berth, else `run` in StateDirectory().
absl::StatusOr<std::string> RuntimeDirectory(const Environment& environment);

}  // namespace berth::cli

#endif  // BERTH_CLI_CONFIG_PATHS_H_
