#ifndef BERTH_AGENT_SHELL_TERMINAL_PROCESS_H_
#define BERTH_AGENT_SHELL_TERMINAL_PROCESS_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "agent/shell/spawn.h"
#include "base/unique_fd.h"

namespace berth::shell {

struct TerminalProcessOptions : SpawnOptions {
  uint16_t rows = 24;
  uint16_t columns = 80;
};

struct TerminalProcess {
  pid_t pid = -1;
  UniqueFd terminal;  // The master side. Non-blocking.
};

// Starts a program as leader of a new session on a new terminal. Errors are
// those of Spawn(), and of making the terminal.
absl::StatusOr<TerminalProcess> StartOnTerminal(
    const TerminalProcessOptions& options);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_TERMINAL_PROCESS_H_
