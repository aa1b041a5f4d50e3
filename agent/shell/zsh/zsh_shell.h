#ifndef BERTH_AGENT_SHELL_ZSH_ZSH_SHELL_H_
#define BERTH_AGENT_SHELL_ZSH_ZSH_SHELL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/shell/hooked_shell.h"
#include "agent/shell/shell.h"
#include "agent/shell/terminal_process.h"

namespace berth::shell {

// An ordinary interactive zsh, served by what glue.zsh puts into its line
// editor.
class ZshShell final : public HookedShell {
 public:
  // Starts zsh. Its first start-up file is written to `directory`, which must
  // be private and stay until zsh has started. `options.inherited` must be
  // empty; `observer` must outlive this.
  static absl::StatusOr<std::unique_ptr<Shell>> Create(
      TerminalProcessOptions options, const std::string& directory,
      ShellObserver& observer);

  std::string DescribeSilence() const override;

 protected:
  void Interrupt(uint64_t id, bool force) override;
  absl::Duration Poke(int attempt) override;
  void OnPromptBeforeRun() override;
  void OnReady() override;

 private:
  using HookedShell::HookedShell;

  bool key_pressed_ = false;  // For the run that was sent.
  int interrupts_ = 0;        // Of the run that is executed.
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_ZSH_ZSH_SHELL_H_
