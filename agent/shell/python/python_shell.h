#ifndef BERTH_AGENT_SHELL_PYTHON_PYTHON_SHELL_H_
#define BERTH_AGENT_SHELL_PYTHON_PYTHON_SHELL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/shell/hooked_shell.h"
#include "agent/shell/shell.h"
#include "agent/shell/terminal_process.h"

namespace berth::shell {

// An interactive Python, served by what session.py puts into it. Scripts are
// Python, and are executed in __main__.
class PythonShell final : public HookedShell {
 public:
  // Starts Python. `options.inherited` must be empty; `observer` must outlive
  // this.
  static absl::StatusOr<std::unique_ptr<Shell>> Create(
      TerminalProcessOptions options, ShellObserver& observer);

  std::string DescribeSilence() const override;

 protected:
  void Interrupt(uint64_t id, bool force) override;
  void Wake() override;
  absl::Duration Poke(int attempt) override;

 private:
  using HookedShell::HookedShell;
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_PYTHON_PYTHON_SHELL_H_
