#include "base/state/command_lane.h"

#include <algorithm>

namespace berth::state {

Admission CommandLane::Admit(ShellReadiness shell, bool waits) const {
  if (closed_) return Admission::kSessionEnded;
  if (shell == ShellReadiness::kReplaced) return Admission::kShellReplaced;
  if (waiting_.size() >= max_waiting_) return Admission::kQueueFull;
  const bool busy =
      running_ != 0 || !waiting_.empty() ||
      (shell != ShellReadiness::kIdle && shell != ShellReadiness::kStarting);
  return busy && !waits ? Admission::kBusy : Admission::kTaken;
}

Command CommandLane::of(uint64_t sequence) const {
  const auto it = states_.find(sequence);
  if (it != states_.end()) return it->second;
  return sequence == 0 || sequence > last_ ? Command::kNew : Command::kEnded;
}

const CommandRow* CommandLane::Apply(uint64_t sequence, CommandEvent event) {
  const Command from = of(sequence);
  const CommandRow* row = Find(*rows_, from, event);
  if (row == nullptr) return nullptr;
  if (row->slot == Slot::kTake && running_ != 0) return nullptr;
  if (row->slot == Slot::kFree && running_ != sequence) return nullptr;
  if (row->slot == Slot::kTake) running_ = sequence;
  if (row->slot == Slot::kFree) running_ = 0;
  last_ = std::max(last_, sequence);
  if (from == Command::kQueued && row->to != Command::kQueued) {
    waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), sequence),
                   waiting_.end());
  } else if (row->to == Command::kQueued && from != Command::kQueued) {
    waiting_.push_back(sequence);
  }
  if (row->to == Command::kEnded) {
    states_.erase(sequence);
  } else {
    states_[sequence] = row->to;
  }
  return row;
}

uint64_t CommandLane::Next(ShellReadiness shell) const {
  const bool free = running_ == 0 && !closed_ && shell == ShellReadiness::kIdle;
  return free && !waiting_.empty() ? waiting_.front() : 0;
}

// A shell that was overtaken answers when what the user does is over: nobody
// has to wait for that. It takes in all it was sent before it starts anything.
WayBack CommandLane::WayBackOf(uint64_t sequence, ShellReadiness shell) const {
  switch (of(sequence)) {
    case Command::kQueued:
      return WayBack::kNow;
    case Command::kSent:
      return shell == ShellReadiness::kOvertaken ? WayBack::kNowAndTellShell
                                                 : WayBack::kAskShell;
    default:
      return WayBack::kTooLate;
  }
}

std::vector<uint64_t> CommandLane::Unstarted() const {
  std::vector<uint64_t> all(waiting_.begin(), waiting_.end());
  if (of(running_) == Command::kSent) all.insert(all.begin(), running_);
  return all;
}

}  // namespace berth::state
