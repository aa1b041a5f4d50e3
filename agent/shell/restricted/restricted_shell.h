#ifndef BERTH_AGENT_SHELL_RESTRICTED_RESTRICTED_SHELL_H_
#define BERTH_AGENT_SHELL_RESTRICTED_RESTRICTED_SHELL_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/shell/canceller.h"
#include "agent/shell/restricted/allow_list.h"
#include "agent/shell/shell.h"
#include "agent/shell/spawn.h"
#include "base/unique_fd.h"

namespace berth::shell {

// No shell at all: a run is a command line, of an allowed program and its
// arguments, that is executed in a process group of its own. What is not
// allowed ends with status 126 and says so on its stderr. There is no terminal,
// and no state but the directory that it was started in.
class RestrictedShell final : public Shell {
 public:
  // `options.program` and `options.arguments` are not used; the rest is what
  // programs get. Errors: those of AllowList::Create(). `observer` must outlive
  // this.
  static absl::StatusOr<std::unique_ptr<Shell>> Create(
      SpawnOptions options, std::vector<AllowedProgram> allowed,
      ShellObserver& observer);

  pid_t pid() const override { return 0; }
  int terminal() const override { return -1; }
  std::string DescribeSilence() const override { return "it was not started"; }
  int control() const override { return events_.get(); }
  void HandleControl() override;
  ShellState state() const override { return state_; }
  const std::string& cwd() const override { return options_.cwd; }
  absl::Status Start(const Run& run) override;
  void Withdraw(uint64_t) override {}  // It starts at once, or not at all.
  void Acknowledge(uint64_t, bool) override {}
  void Cancel(bool force) override;
  absl::Time next_step() const override { return next_step_; }
  void Step(absl::Time now) override;
  void HandleExit() override {}
  void HandleChildExit(pid_t pid, int wait_status) override;

 private:
  RestrictedShell(SpawnOptions options, AllowList allowed, UniqueFd events,
                  ShellObserver& observer)
      : options_(std::move(options)),
        allowed_(std::move(allowed)),
        events_(std::move(events)),
        observer_(observer) {}

  // Starts what the run asks for.
  absl::StatusOr<pid_t> Execute(const Run& run);
  // Has HandleControl() called soon, by the owner.
  void Call();
  void Change(ShellEvent event);
  void SayStarted();
  void SayEnded(int status, bool interrupted);

  SpawnOptions options_;
  UniqueFd directory_;  // Where programs start, and their cgroup, if these
  UniqueFd cgroup_;     // can't be opened when one is started.
  const AllowList allowed_;
  const UniqueFd events_;
  ShellObserver& observer_;
  ShellState state_ = ShellState::kStarting;
  bool said_hello_ = false;
  uint64_t run_id_ = 0;
  bool said_started_ = false;
  pid_t child_ = 0;         // 0: none was started, or it has ended.
  int refused_status_ = 0;  // Instead of a child's.
  uint64_t started_ticks_ = 0;
  absl::Time started_at_;
  std::optional<Canceller> canceller_;
  absl::Time next_step_ = absl::InfiniteFuture();
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_RESTRICTED_RESTRICTED_SHELL_H_
