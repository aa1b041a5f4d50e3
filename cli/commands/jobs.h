#ifndef BERTH_CLI_COMMANDS_JOBS_H_
#define BERTH_CLI_COMMANDS_JOBS_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth jobs`: commands that were left running on many targets. Returns the
// exit status.
int RunJobs(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_JOBS_H_
