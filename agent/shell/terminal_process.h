#ifndef BERTH_AGENT_SHELL_TERMINAL_PROCESS_H_
#define BERTH_AGENT_SHELL_TERMINAL_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace berth::shell {

struct TerminalProcessOptions {
  std::string program;
  std::vector<std::string> arguments;  // After argv[0].
  std::vector<std::string> environment;
  std::string cwd;  // If it can't be entered: "/".
  uint16_t rows = 24;
  uint16_t columns = 80;
  // The program's soft limit of open files, if not ours.
  std::optional<uint64_t> open_files;
  // Descriptors that the program gets as 3, 4 and so on; at most 4. They stay
  // the caller's.
  std::vector<int> inherited;
};

struct TerminalProcess {
  pid_t pid = -1;
  UniqueFd terminal;  // The master side. Non-blocking.
};

// Starts a program as leader of a new session on a new terminal, with all
// signals at their defaults and no other descriptors. The error names the
// program and why it could not be executed.
absl::StatusOr<TerminalProcess> StartOnTerminal(
    const TerminalProcessOptions& options);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_TERMINAL_PROCESS_H_
