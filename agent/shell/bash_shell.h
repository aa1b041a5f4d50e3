#ifndef BERTH_AGENT_SHELL_BASH_SHELL_H_
#define BERTH_AGENT_SHELL_BASH_SHELL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/shell/hooked_shell.h"
#include "agent/shell/shell.h"
#include "agent/shell/terminal_process.h"

namespace berth::shell {

// An ordinary interactive bash with the hook in it (see hook/hook.c).
class BashShell final : public HookedShell {
 public:
  // Starts bash. `options.environment` is what it gets, with TERM if that is
  // missing; `options.inherited` must be empty. FAILED_PRECONDITION: the
  // program can't be hooked; says why. `observer` must outlive this.
  static absl::StatusOr<std::unique_ptr<Shell>> Create(
      TerminalProcessOptions options, ShellObserver& observer);

  std::string DescribeSilence() const override;
  void SetExitLeaves(bool leaves) override;
  size_t takes_secrets() const override { return BERTH_SECRETS_MAX; }

 protected:
  void Interrupt(uint64_t id, bool force) override;
  // The hook interrupts it.
  bool SparesOwnGroup() const override { return false; }

 private:
  using HookedShell::HookedShell;
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_BASH_SHELL_H_
