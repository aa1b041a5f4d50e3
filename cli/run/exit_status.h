#ifndef BERTH_CLI_RUN_EXIT_STATUS_H_
#define BERTH_CLI_RUN_EXIT_STATUS_H_

#include <string>

#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// Exit statuses of `run` and `receive` that are not the command's own.
inline constexpr int kFailedExit = 125;    // Berth's own failure.
inline constexpr int kDeadlineExit = 124;  // A deadline of the user's passed.
inline constexpr int kPipeExit = 141;      // The reader of stdout is gone.

// The exit status for a command that ended so.
int ExitStatusOf(const v1::CommandEnded& ended);

// What people should be told about how it ended; empty for the usual end.
std::string DescribeEnd(const v1::CommandEnded& ended);

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_EXIT_STATUS_H_
