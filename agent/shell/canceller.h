#ifndef BERTH_AGENT_SHELL_CANCELLER_H_
#define BERTH_AGENT_SHELL_CANCELLER_H_

#include <sys/types.h>

#include <cstdint>
#include <set>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace berth::shell {

// Interrupts one run until it ends. One thread.
//
// Each step signals the shell first and its foreground job after it: if the job
// died first, the shell could go on to the script's next line. Steps have to be
// repeated, as a process may have been between fork and exec, or a pipeline
// half made.
class Canceller {
 public:
  struct Target {
    uint64_t run_id = 0;
    pid_t shell = 0;
    int terminal = -1;           // The master side.
    pid_t group = 0;             // The run has this one in any case.
    uint64_t started_ticks = 0;  // When the run started, since boot.
    // The run has made the shell another program, by `exec`.
    bool replaced = false;
    // What the run has in the shell's own process group is not interrupted
    // with the shell.
    bool own_group = false;
  };
  // Acts as if ^C had been typed, on the shell alone and only during the
  // run; `force`: also if it ignores being interrupted.
  using InterruptShell = absl::FunctionRef<void(bool force)>;

  // `now`: of a monotonic clock.
  Canceller(absl::Time now, bool force) : begun_(now), force_(force) {}

  // From here on, also end what ignores SIGINT.
  void Force(absl::Time now);

  // Sends signals, and returns when to do so again if the run hasn't ended.
  absl::Duration Step(absl::Time now, const Target& target,
                      InterruptShell interrupt_shell);

 private:
  int SignalFor(absl::Time now) const;
  void NoteForeground(const Target& target);
  void NoteNewChildren(const Target& target, int signal);
  void SignalOwnGroup(const Target& target, int signal);

  absl::Time begun_;
  bool force_;
  bool repeated_ = false;
  std::set<pid_t> groups_;  // Process groups that the run had in front.
};

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_CANCELLER_H_
