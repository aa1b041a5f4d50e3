#include "agent/shell/hooked_shell.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/shell/monotonic.h"
#include "agent/shell/processes.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

constexpr char kDefaultTerm[] = "TERM=xterm-256color";

}  // namespace

std::optional<std::string> SetVariable(std::vector<std::string>& environment,
                                       const std::string& name,
                                       const std::string& value) {
  const std::string prefix = absl::StrCat(name, "=");
  std::optional<std::string> before;
  for (std::string& entry : environment) {
    if (!absl::StartsWith(entry, prefix)) continue;
    if (!before) before = entry.substr(prefix.size());
    entry = prefix + value;
  }
  if (!before) environment.push_back(prefix + value);
  return before;
}

void AddDefaultTerm(std::vector<std::string>& environment) {
  for (const std::string& entry : environment) {
    if (absl::StartsWith(entry, "TERM=")) return;
  }
  environment.push_back(kDefaultTerm);
}

// ---- What the shell says ----

void HookedShell::HandleControl() {
  while (channel_->is_open()) {
    absl::StatusOr<std::optional<ControlPacket>> packet = channel_->Receive();
    if (!packet.ok()) continue;  // Not from what serves us.
    if (!packet->has_value()) break;
    Handle(**packet);
  }
  if (!channel_->is_open()) Change(ShellEvent::kChannelClosed);
}

void HookedShell::Handle(const ControlPacket& packet) {
  switch (packet.type) {
    case BERTH_HELLO:
      return observer_.OnHello();
    case BERTH_UNUSABLE:
      return observer_.OnUnusable(packet.text);
    case BERTH_PROMPT:
      cwd_ = packet.text;
      Change(ShellEvent::kPrompt);
      if (run_id_ != 0 && !run_started_) OnPromptBeforeRun();
      return;
    case BERTH_BUSY:
      return Change(ShellEvent::kBusy);
    case BERTH_READY:
      if (packet.id != run_id_ || run_started_) return;
      Change(ShellEvent::kPrompt);
      return OnReady();
    case BERTH_STARTED:
      // Any program in the session can say it again.
      if (packet.id == run_id_ && !run_started_) HandleStarted(packet.id);
      return;
    case BERTH_DONE:
      return HandleDone(packet);
    case BERTH_WITHDRAWN:
    case BERTH_REFUSED:
      if (packet.id != run_id_ || run_started_) return;
      ForgetRun();
      observer_.OnRunDropped(packet.id, packet.text);
      return Change(ShellEvent::kRunDropped);
    case BERTH_EXIT:
      return observer_.OnExitTyped();
    case BERTH_RUN:
    case BERTH_WITHDRAW:
    case BERTH_ACK:
    case BERTH_INTERRUPT:
    case BERTH_QUERY:
    case BERTH_VISIT:
      return;  // Only the holder sends these.
  }
}

void HookedShell::HandleStarted(uint64_t id) {
  run_started_ = true;
  run_started_ticks_ = NowTicks();
  run_started_at_ = MonotonicNow();
  Change(ShellEvent::kRunStarted);
  observer_.OnRunStarted(id);
}

void HookedShell::HandleDone(const ControlPacket& packet) {
  if (packet.id != run_id_) return;
  if (!run_started_) {
    run_started_at_ = MonotonicNow();
    observer_.OnRunStarted(packet.id);
  }
  RunEnd end;
  end.id = packet.id;
  end.status = packet.status;
  int jump = packet.how & ~BERTH_HOW_FORCED;
  end.interrupted = (packet.how & BERTH_HOW_FORCED) != 0 ||
                    jump == BERTH_HOW_DISCARD || jump == BERTH_HOW_EXITPROG;
  end.exited = jump == BERTH_HOW_EXIT || jump == BERTH_HOW_ERREXIT;
  // Not all shells have a clock that nobody sets.
  end.duration_ns = packet.ns > 0
                        ? packet.ns
                        : static_cast<uint64_t>(absl::ToInt64Nanoseconds(
                              MonotonicNow() - run_started_at_));
  end.cwd = packet.text;
  cwd_ = packet.text;
  ForgetRun();
  observer_.OnRunEnded(end);
  Change(ShellEvent::kRunDone);
}

void HookedShell::Change(ShellEvent event) {
  ShellState next = NextState(state_, event);
  if (next == state_) return;
  state_ = next;
  pokes_ = 0;
  PokeFrom(MonotonicNow());
  observer_.OnStateChange();
}

void HookedShell::ForgetRun() {
  run_id_ = 0;
  canceller_.reset();
  next_cancel_step_ = absl::InfiniteFuture();
}

// ---- What it is told ----

void HookedShell::Send(berth_packet_type type, uint64_t id, uint32_t flags) {
  ControlPacket packet;
  packet.type = type;
  packet.id = id;
  packet.flags = flags;
  channel_->Send(packet).IgnoreError();
}

absl::Status HookedShell::Start(const Run& run) {
  if (state_ != ShellState::kIdle) {
    return absl::FailedPreconditionError(
        absl::StrCat("the shell is ", ToString(state_)));
  }
  ControlPacket packet;
  packet.type = BERTH_RUN;
  packet.id = run.id;
  // A `set -e` that outlived its run would end the shell at the first thing
  // that fails at the prompt.
  if (!run.exit_ends_shell) {
    packet.flags = BERTH_RUN_KEEP_SHELL | BERTH_RUN_KEEP_ERREXIT;
  }
  packet.status = static_cast<int32_t>(run.secrets.size());
  std::vector<int> fds = {run.script, run.in, run.out, run.err};
  fds.insert(fds.end(), run.secrets.begin(), run.secrets.end());
  BERTH_RETURN_IF_ERROR(channel_->Send(packet, fds));
  run_id_ = run.id;
  run_started_ = false;
  Wake();
  Change(ShellEvent::kRunSent);
  return absl::OkStatus();
}

void HookedShell::Withdraw(uint64_t id) {
  if (id != run_id_ || run_started_) return;
  Send(BERTH_WITHDRAW, id);
  Wake();
}

void HookedShell::Acknowledge(uint64_t id, bool redraw) {
  Send(BERTH_ACK, id, redraw ? BERTH_ACK_REDRAW : 0);
  Wake();
}

void HookedShell::Cancel(bool force) {
  if (run_id_ == 0) return;
  absl::Time now = MonotonicNow();
  if (!canceller_) {
    canceller_.emplace(now, force);
  } else if (force) {
    canceller_->Force(now);
  }
  StepCancel(now);
}

// ---- What takes several tries ----

absl::Duration HookedShell::Poke(int) { return absl::InfiniteDuration(); }

void HookedShell::PokeFrom(absl::Time now) {
  next_poke_ = now + Poke(pokes_++);
}

absl::Time HookedShell::next_step() const {
  return std::min(next_cancel_step_, next_poke_);
}

void HookedShell::Step(absl::Time now) {
  if (now >= next_poke_) PokeFrom(now);
  if (now >= next_cancel_step_) StepCancel(now);
}

void HookedShell::StepCancel(absl::Time now) {
  if (!canceller_ || run_id_ == 0) return;
  Canceller::Target target;
  target.run_id = run_id_;
  target.shell = process_.pid;
  target.terminal = process_.terminal.get();
  target.started_ticks = run_started_ ? run_started_ticks_ : NowTicks();
  target.replaced = state_ == ShellState::kReplaced;
  target.own_group = SparesOwnGroup() && !target.replaced;
  next_cancel_step_ = now + canceller_->Step(now, target, [this](bool force) {
    Interrupt(run_id_, force);
  });
}

void HookedShell::HandleExit() {
  // What the shell said before it ended comes first: a run that ended by `exit`
  // has its own status.
  HandleControl();
  Change(ShellEvent::kProcessExited);
}

}  // namespace berth::shell
