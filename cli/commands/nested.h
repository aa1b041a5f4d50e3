#ifndef BERTH_CLI_COMMANDS_NESTED_H_
#define BERTH_CLI_COMMANDS_NESTED_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// What a command did that ran within another.
struct Nested {
  int exit_status = 1;
  std::string out;  // What it printed, each at most 1 MiB.
  std::string err;
};

// Does one verb's work, such as RunRun(), for the same user, with no input, and
// keeps what it prints. It ends when `outer` is left, or `limit` has passed.
// Any thread.
Nested RunNested(Invocation& outer,
                 int (*command)(Invocation&, std::vector<std::string>),
                 std::vector<std::string> words, absl::Duration limit);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_NESTED_H_
