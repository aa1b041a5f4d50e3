#ifndef BERTH_AGENT_SHELL_SHELL_H_
#define BERTH_AGENT_SHELL_SHELL_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/shell/shell_state.h"

namespace berth::shell {

// A script to execute in a shell. The descriptors stay the caller's.
struct Run {
  uint64_t id = 0;  // Never used before in this shell; below 2^62.
  int script = -1;
  int in = -1;
  int out = -1;
  int err = -1;
  // More files for the run alone; see takes_secrets().
  std::vector<int> secrets;
  // `exit`, and an error under `set -e`, end the shell and not just the run.
  bool exit_ends_shell = false;
};

// How a run ended.
struct RunEnd {
  uint64_t id = 0;
  int status = 0;            // As `$?`.
  bool interrupted = false;  // The shell gave it up because it was cancelled.
  bool exited = false;       // By `exit` or `set -e`.
  uint64_t duration_ns = 0;
  std::string cwd;
};

// What a shell tells its owner. Called from Shell's methods; may call them.
class ShellObserver {
 public:
  virtual ~ShellObserver() = default;

  // The shell can take runs, now or when it has read its start-up files.
  virtual void OnHello() = 0;
  // It never will; `why` is for people. Comes instead of OnHello().
  virtual void OnUnusable(const std::string& why) = 0;
  virtual void OnStateChange() = 0;
  virtual void OnRunStarted(uint64_t id) = 0;
  // All output of what ran in the foreground is in the run's streams now.
  // Must be answered by Shell::Acknowledge().
  virtual void OnRunEnded(const RunEnd& end) = 0;
  // It never started: `why` says what the shell said, or is empty if it was
  // withdrawn.
  virtual void OnRunDropped(uint64_t id, const std::string& why) = 0;
  // `exit` was typed at the prompt, and the shell stayed: see SetExitLeaves().
  virtual void OnExitTyped() {}
};

// A shell on a terminal of its own, that executes scripts in its very process.
// At most one run at a time. One thread; nothing here blocks.
class Shell {
 public:
  virtual ~Shell() = default;

  // 0 if it has no process of its own.
  virtual pid_t pid() const = 0;

  // How many secrets a run may have. Its commands find them, while it runs, as
  // descriptors from 30 on.
  virtual size_t takes_secrets() const { return 0; }

  // The master side of its terminal; -1 if it has none.
  virtual int terminal() const = 0;

  // What to tell if OnHello() does not come in time: "it runs, but ...".
  virtual std::string DescribeSilence() const = 0;

  // To be polled for input, then HandleControl(). -1 if there is none (more).
  virtual int control() const = 0;
  virtual void HandleControl() = 0;

  virtual ShellState state() const = 0;

  // Where it was when it last said so.
  virtual const std::string& cwd() const = 0;

  // Hands a run over. Only in state kIdle, else FAILED_PRECONDITION.
  // UNAVAILABLE: the shell is gone.
  virtual absl::Status Start(const Run& run) = 0;

  // Takes a run back that has not started. Answered by OnRunDropped(), or by
  // OnRunStarted() if it was too late.
  virtual void Withdraw(uint64_t id) = 0;

  // The end of run `id` was seen. `redraw`: its user's line may be no longer
  // on the screen, because something was written to the terminal.
  virtual void Acknowledge(uint64_t id, bool redraw) = 0;

  // Whether `exit`, or an end of file, typed at the prompt is only told to the
  // observer, and does not end the shell. Shells that can't, end.
  virtual void SetExitLeaves(bool) {}

  // Interrupts the run that is executed, and goes on trying harder until it
  // ends. `force`: also if it ignores being interrupted.
  virtual void Cancel(bool force) = 0;

  // When Step() is due, which goes on with what takes several tries;
  // absl::InfiniteFuture() if it isn't. Of the monotonic clock that `now` is
  // of. May change with each call of any method.
  virtual absl::Time next_step() const = 0;
  virtual void Step(absl::Time now) = 0;

  // The process has ended (its owner reaps it).
  virtual void HandleExit() = 0;

  // A process other than pid() has ended that the owner has reaped, as
  // `wait_status` says.
  virtual void HandleChildExit(pid_t pid, int wait_status) = 0;
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_SHELL_H_
