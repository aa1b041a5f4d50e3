#ifndef BERTH_AGENT_SHELL_RESTRICTED_COMMAND_LINE_H_
#define BERTH_AGENT_SHELL_RESTRICTED_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::shell {

// Splits one command line into words as a shell would that knows nothing but
// blanks, quotes and backslashes: '...' is literal, "..." too but for \" and
// \\, and \ outside quotes makes the next character literal. There is at least
// one word.
//
// Whatever else means something to a shell is not taken as text either, as who
// wrote it expects more: INVALID_ARGUMENT names the character and says what to
// do. So do quotes that don't end.
absl::StatusOr<std::vector<std::string>> SplitCommandLine(
    absl::string_view line);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_RESTRICTED_COMMAND_LINE_H_
