#ifndef BERTH_AGENT_SHELL_BASH_SHELL_H_
#define BERTH_AGENT_SHELL_BASH_SHELL_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "agent/shell/canceller.h"
#include "agent/shell/control_channel.h"
#include "agent/shell/shell.h"
#include "agent/shell/terminal_process.h"

namespace berth::shell {

// An ordinary interactive bash with the hook in it (see hook/hook.c).
class BashShell final : public Shell {
 public:
  // Starts bash. `options.environment` is what it gets, with TERM if that is
  // missing; `options.inherited` must be empty. FAILED_PRECONDITION: the
  // program can't be hooked; says why. `observer` must outlive this.
  static absl::StatusOr<std::unique_ptr<BashShell>> Create(
      TerminalProcessOptions options, ShellObserver& observer);

  pid_t pid() const override { return process_.pid; }
  int terminal() const override { return process_.terminal.get(); }
  int control() const override { return channel_.fd(); }
  void HandleControl() override;
  ShellState state() const override { return state_; }
  const std::string& cwd() const override { return cwd_; }
  absl::Status Start(const Run& run) override;
  void Withdraw(uint64_t id) override;
  void Acknowledge(uint64_t id, bool redraw) override;
  void Cancel(bool force) override;
  absl::Time next_cancel_step() const override { return next_cancel_step_; }
  void StepCancel(absl::Time now) override;
  void HandleExit() override;

 private:
  BashShell(TerminalProcess process, ControlChannel channel,
            ShellObserver& observer)
      : process_(std::move(process)),
        channel_(std::move(channel)),
        observer_(observer) {}

  void Handle(const ControlPacket& packet);
  void HandleDone(const ControlPacket& packet);
  void Change(ShellEvent event);
  // The run is no longer the shell's.
  void ForgetRun();

  TerminalProcess process_;
  ControlChannel channel_;
  ShellObserver& observer_;
  ShellState state_ = ShellState::kStarting;
  std::string cwd_;
  uint64_t run_id_ = 0;  // Of the run that was sent and hasn't ended, or 0.
  bool run_started_ = false;
  uint64_t run_started_ticks_ = 0;
  std::optional<Canceller> canceller_;
  absl::Time next_cancel_step_ = absl::InfiniteFuture();
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_BASH_SHELL_H_
