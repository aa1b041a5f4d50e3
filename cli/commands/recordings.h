#ifndef BERTH_CLI_COMMANDS_RECORDINGS_H_
#define BERTH_CLI_COMMANDS_RECORDINGS_H_

#include <string>
#include <vector>

#include "cli/invocation/invocation.h"

namespace berth::cli {

// `berth recordings ls|verify|redact`. Returns the exit status, as do the
// others.
int RunRecordings(Invocation& invocation, std::vector<std::string> words);

// `berth play`.
int RunPlay(Invocation& invocation, std::vector<std::string> words);

// `berth export`.
int RunExport(Invocation& invocation, std::vector<std::string> words);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_RECORDINGS_H_
