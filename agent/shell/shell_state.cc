#include "agent/shell/shell_state.h"

namespace berth::shell {
namespace {

struct Transition {
  ShellState from;
  ShellEvent event;
  ShellState to;
};

using S = ShellState;
using E = ShellEvent;

// What is not here changes nothing, except that any shell may be replaced, and
// exit.
constexpr Transition kTable[] = {
    {S::kStarting, E::kPrompt, S::kIdle},
    {S::kIdle, E::kBusy, S::kUserBusy},
    {S::kIdle, E::kRunSent, S::kSent},
    {S::kUserBusy, E::kPrompt, S::kIdle},
    {S::kSent, E::kBusy, S::kOvertaken},
    {S::kSent, E::kRunStarted, S::kRunning},
    {S::kSent, E::kRunDone, S::kIdle},
    {S::kSent, E::kRunDropped, S::kIdle},
    {S::kOvertaken, E::kPrompt, S::kSent},
    {S::kOvertaken, E::kRunStarted, S::kRunning},
    {S::kOvertaken, E::kRunDone, S::kIdle},
    {S::kOvertaken, E::kRunDropped, S::kUserBusy},
    {S::kRunning, E::kRunDone, S::kIdle},
};

}  // namespace

ShellState NextState(ShellState state, ShellEvent event) {
  if (state == S::kExited || event == E::kProcessExited) return S::kExited;
  if (state == S::kReplaced || event == E::kChannelClosed) return S::kReplaced;
  for (const Transition& row : kTable) {
    if (row.from == state && row.event == event) return row.to;
  }
  return state;
}

bool HasRun(ShellState state) {
  return state == S::kSent || state == S::kOvertaken || state == S::kRunning;
}

const char* ToString(ShellState state) {
  switch (state) {
    case S::kStarting:
      return "starting";
    case S::kIdle:
      return "idle";
    case S::kSent:
      return "sent";
    case S::kOvertaken:
      return "overtaken";
    case S::kRunning:
      return "running";
    case S::kUserBusy:
      return "user busy";
    case S::kReplaced:
      return "replaced";
    case S::kExited:
      return "exited";
  }
  return "?";
}

}  // namespace berth::shell
