#ifndef BERTH_AGENT_SHELL_SHELL_FACTORY_H_
#define BERTH_AGENT_SHELL_SHELL_FACTORY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/shell/restricted/allow_list.h"
#include "agent/shell/shell.h"
#include "agent/shell/terminal_process.h"

namespace berth::shell {

enum class ShellKind { kBash, kZsh, kPython, kRestricted };

// What every kind needs to start.
struct ShellOptions {
  ShellKind kind = ShellKind::kBash;
  TerminalProcessOptions process;
  // A private directory that lives as long as the shell, for files that it
  // has to find by name.
  std::string directory;
  // What a restricted one may run.
  std::vector<AllowedProgram> allowed;
};

// Starts a shell. FAILED_PRECONDITION: the program can't be a shell of this
// kind; says why. Other errors are those of Spawn() and AllowList::Create().
// `observer` must outlive the shell.
absl::StatusOr<std::unique_ptr<Shell>> CreateShell(ShellOptions options,
                                                   ShellObserver& observer);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_SHELL_FACTORY_H_
