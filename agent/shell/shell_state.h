#ifndef BERTH_AGENT_SHELL_SHELL_STATE_H_
#define BERTH_AGENT_SHELL_SHELL_STATE_H_

namespace berth::shell {

// What the shell does, as far as its holder knows.
enum class ShellState {
  kStarting,   // Reads its start-up files.
  kIdle,       // Waits for a key at its primary prompt, no run was sent.
  kSent,       // A run was sent to it, and it is about to start.
  kOvertaken,  // A run was sent, but the user's Enter came first.
  kRunning,    // Executes a run.
  kUserBusy,   // Does what was typed at the terminal.
  kReplaced,   // Has become another program, by `exec`.
  kExited,
};

// What the holder learns.
enum class ShellEvent {
  kPrompt,
  kBusy,
  kRunSent,
  kRunStarted,
  kRunDone,
  kRunDropped,  // It was withdrawn or refused before it started.
  kChannelClosed,
  kProcessExited,
};

// The state after `event`. An event that makes no sense in `state` changes
// nothing: the other end of the channel is in a process that runs anything.
ShellState NextState(ShellState state, ShellEvent event);

// A run was sent, and has not ended.
bool HasRun(ShellState state);

const char* ToString(ShellState state);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_SHELL_STATE_H_
