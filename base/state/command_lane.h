#ifndef BERTH_BASE_STATE_COMMAND_LANE_H_
#define BERTH_BASE_STATE_COMMAND_LANE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/state/tables.h"

namespace berth::state {

// What a shell says of itself, as far as commands depend on it.
enum class ShellReadiness : uint8_t {
  kStarting,   // It will be ready.
  kIdle,       // It can be given a command.
  kBusy,       // It does something else, or has a command.
  kOvertaken,  // It has a command, and does something else first.
  kReplaced,   // It never takes one again.
};

// What a new command meets.
enum class Admission : uint8_t {
  kTaken,
  kSessionEnded,
  kShellReplaced,
  kQueueFull,
  kBusy,  // And it would not wait.
};

// How a command that has not started is got back.
enum class WayBack : uint8_t {
  kNow,
  kAskShell,  // The shell says whether it was in time.
  kNowAndTellShell,
  kTooLate,
};

// The commands of one session on their way to the shell, through it, and to
// their end: which waits, which the shell has, and what may happen to which
// next, by the table of commands. Pure. One thread.
class CommandLane {
 public:
  // `rows` must outlive this; `max_waiting` commands may wait at a time.
  explicit CommandLane(size_t max_waiting,
                       const CommandRows& rows = CommandTable())
      : rows_(&rows), max_waiting_(max_waiting) {}

  Admission Admit(ShellReadiness shell, bool waits) const;

  // Makes a step. Null: the table has none for it, or the shell's one place is
  // not as the row needs it; then nothing has changed. Numbers of commands rise
  // from 1.
  const CommandRow* Apply(uint64_t sequence, CommandEvent event);

  Command of(uint64_t sequence) const;

  // What the shell is to get now; 0: nothing.
  uint64_t Next(ShellReadiness shell) const;

  WayBack WayBackOf(uint64_t sequence, ShellReadiness shell) const;

  // The session ends: nothing is taken or handed over any more.
  void Close() { closed_ = true; }
  bool closed() const { return closed_; }

  // What can't run any more when the shell has gone, in their order.
  std::vector<uint64_t> Unstarted() const;

  // The command that the shell has; 0: none.
  uint64_t running() const { return running_; }
  size_t waiting() const { return waiting_.size(); }
  // Has started or waits for that, or not all of its output is logged.
  size_t open() const { return states_.size(); }

 private:
  const CommandRows* rows_;
  size_t max_waiting_;
  uint64_t last_ = 0;
  uint64_t running_ = 0;
  bool closed_ = false;
  std::deque<uint64_t> waiting_;
  // Of those that have not ended.
  absl::flat_hash_map<uint64_t, Command> states_;
};

}  // namespace berth::state

#endif  // BERTH_BASE_STATE_COMMAND_LANE_H_
