#ifndef BERTH_CLI_COMMANDS_COMMAND_H_
#define BERTH_CLI_COMMANDS_COMMAND_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// One verb of `berth`, such as "ls". Runs on any thread, many at once.
struct Command {
  const char* name;
  const char* summary;
  // Does it with the words after the verb; returns the exit status.
  int (*run)(Invocation& invocation, std::vector<std::string> words);
};

// All verbs, in the order of the help.
absl::Span<const Command> AllCommands();

// Finds the verb among the arguments and does it. Returns the exit status.
int RunCommandLine(Invocation& invocation);

// The verb among the arguments; empty: there is none.
std::string VerbOf(std::vector<std::string> args);

// What `berth --help` prints.
std::string HelpText();

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_COMMAND_H_
