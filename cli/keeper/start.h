#ifndef BERTH_CLI_KEEPER_START_H_
#define BERTH_CLI_KEEPER_START_H_

#include <string>

#include "absl/status/status.h"
#include "cli/invocation/environment.h"

namespace berth::cli {

// Forks a keeper that listens in `directory`, and waits until it does. To be
// called before this process has threads. Unavailable: another one holds the
// place; it may be about to listen.
absl::Status StartKeeper(const std::string& directory,
                         const Environment& environment);

// The socket of the keeper of `directory`.
std::string SocketPath(const std::string& directory);

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_START_H_
