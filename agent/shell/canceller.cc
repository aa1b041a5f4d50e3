#include "agent/shell/canceller.h"

#include <signal.h>
#include <unistd.h>

#include "agent/shell/processes.h"

namespace berth::shell {
namespace {

constexpr absl::Duration kRepeat = absl::Milliseconds(100);
constexpr absl::Duration kRepeatLater = absl::Seconds(1);
constexpr absl::Duration kTerminateAfter = absl::Seconds(2);
constexpr absl::Duration kKillAfter = absl::Seconds(5);
constexpr absl::Duration kForcedTerminateAfter = absl::Milliseconds(200);
constexpr absl::Duration kForcedKillAfter = absl::Milliseconds(500);
// Start times of processes are rounded down to ticks, of 10 ms.
constexpr uint64_t kTickSlack = 2;

bool IsOfRun(const ProcessInfo& info, const Canceller::Target& target) {
  return info.start_ticks + kTickSlack >= target.started_ticks;
}

}  // namespace

void Canceller::Force(absl::Time now) {
  if (force_) return;
  force_ = true;
  begun_ = now;
}

int Canceller::SignalFor(absl::Time now) const {
  absl::Duration elapsed = now - begun_;
  if (elapsed >= (force_ ? kForcedKillAfter : kKillAfter)) return SIGKILL;
  if (elapsed >= (force_ ? kForcedTerminateAfter : kTerminateAfter)) {
    return SIGTERM;
  }
  return SIGINT;
}

void Canceller::NoteForeground(const Target& target) {
  if (target.group > 0) groups_.insert(target.group);
  pid_t group = tcgetpgrp(target.terminal);
  if (group > 0 && (group != target.shell || target.replaced)) {
    groups_.insert(group);
  }
}

// What the run made and that isn't in front: the newest job, which may be on
// its way there, and, once SIGINT was not enough, children in the shell's own
// group, such as those of $(...).
void Canceller::NoteNewChildren(const Target& target, int signal) {
  pid_t newest = 0;
  for (pid_t child : ChildrenOf(target.shell)) {
    auto info = GetProcessInfo(child);
    if (!info || !IsOfRun(*info, target)) continue;
    if (info->group != target.shell) {
      newest = info->group;
    } else if (signal != SIGINT) {
      kill(child, signal);
    }
  }
  if (newest > 0) groups_.insert(newest);
}

// For shells without job control, and for what is in $(...) of those that have
// it.
void Canceller::SignalOwnGroup(const Target& target, int signal) {
  for (const ProcessInfo& info : AllProcesses()) {
    if (info.group == target.shell && info.pid != target.shell &&
        IsOfRun(info, target)) {
      kill(info.pid, signal);
    }
  }
}

absl::Duration Canceller::Step(absl::Time now, const Target& target,
                               InterruptShell interrupt_shell) {
  int signal = SignalFor(now);
  NoteForeground(target);
  if (repeated_) NoteNewChildren(target, signal);
  repeated_ = true;
  if (!target.replaced) interrupt_shell(force_ || signal == SIGKILL);
  if (target.own_group) SignalOwnGroup(target, signal);
  for (auto group = groups_.begin(); group != groups_.end();) {
    group =
        killpg(*group, signal) == 0 ? std::next(group) : groups_.erase(group);
  }
  return now - begun_ > 2 * kKillAfter ? kRepeatLater : kRepeat;
}

}  // namespace berth::shell
