#include "agent/shell/shell_factory.h"

#include <utility>

#include "agent/shell/bash_shell.h"
#include "agent/shell/python/python_shell.h"
#include "agent/shell/restricted/restricted_shell.h"
#include "agent/shell/zsh/zsh_shell.h"

namespace berth::shell {

absl::StatusOr<std::unique_ptr<Shell>> CreateShell(ShellOptions options,
                                                   ShellObserver& observer) {
  switch (options.kind) {
    case ShellKind::kBash:
      return BashShell::Create(std::move(options.process), observer);
    case ShellKind::kZsh:
      return ZshShell::Create(std::move(options.process), options.directory,
                              observer);
    case ShellKind::kPython:
      return PythonShell::Create(std::move(options.process), observer);
    case ShellKind::kRestricted:
      return RestrictedShell::Create(std::move(options.process),
                                     std::move(options.allowed), observer);
  }
  return absl::InvalidArgumentError("no such kind of shell");
}

}  // namespace berth::shell
