#ifndef BERTH_CLI_INSTALL_RUN_ALL_H_
#define BERTH_CLI_INSTALL_RUN_ALL_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/install/board.h"
#include "cli/invocation/signals.h"

namespace berth::cli {

// Tells what is being done with a target, for people.
using Doing = std::function<void(std::string)>;

// Calls `work` for each of `count` targets, `parallel` at a time, each on a
// thread of a few, while this one shows on the board how far they are. What
// `work` returns is what is told of the target. Returns the exit status: 1 if
// one failed.
int RunOnAll(
    SignalSource& signals, Board& board, size_t count, size_t parallel,
    const std::function<absl::StatusOr<std::string>(size_t, const Doing&)>&
        work);

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_RUN_ALL_H_
