#include "agent/shell/bash_shell.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/shell/hook_image.h"
#include "agent/shell/hookable.h"
#include "agent/shell/monotonic.h"
#include "agent/shell/processes.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

// Where StartOnTerminal() puts the inherited descriptors.
constexpr int kControlFd = 3;
constexpr int kHookFd = 4;
constexpr char kDefaultTerm[] = "TERM=xterm-256color";

// Adds what the hook needs; it takes it out again before bash looks.
void AddHook(std::vector<std::string>& environment) {
  std::string preload = absl::StrCat("LD_PRELOAD=/proc/self/fd/", kHookFd);
  bool has_term = false;
  bool has_preload = false;
  for (std::string& entry : environment) {
    absl::string_view value = entry;
    if (absl::StartsWith(entry, "TERM=")) has_term = true;
    if (!has_preload && absl::ConsumePrefix(&value, "LD_PRELOAD=")) {
      entry = absl::StrCat(preload, ":", value);
      has_preload = true;
    }
  }
  if (!has_preload) environment.push_back(std::move(preload));
  if (!has_term) environment.push_back(kDefaultTerm);
  environment.push_back(absl::StrCat("BERTH_CTL=", kControlFd));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BashShell>> BashShell::Create(
    TerminalProcessOptions options, ShellObserver& observer) {
  BERTH_RETURN_IF_ERROR(CheckHookable(options.program));
  BERTH_ASSIGN_OR_RETURN(UniqueFd hook, NewHookImage());
  UniqueFd peer;
  BERTH_ASSIGN_OR_RETURN(ControlChannel channel, ControlChannel::Open(peer));
  AddHook(options.environment);
  options.inherited = {peer.get(), hook.get()};
  BERTH_ASSIGN_OR_RETURN(TerminalProcess process, StartOnTerminal(options));
  return std::unique_ptr<BashShell>(
      new BashShell(std::move(process), std::move(channel), observer));
}

void BashShell::HandleControl() {
  while (channel_.is_open()) {
    absl::StatusOr<std::optional<ControlPacket>> packet = channel_.Receive();
    if (!packet.ok()) continue;  // Not from the hook.
    if (!packet->has_value()) break;
    Handle(**packet);
  }
  if (!channel_.is_open()) Change(ShellEvent::kChannelClosed);
}

void BashShell::Handle(const ControlPacket& packet) {
  switch (packet.type) {
    case BERTH_HELLO:
      return observer_.OnHello();
    case BERTH_PROMPT:
      cwd_ = packet.text;
      return Change(ShellEvent::kPrompt);
    case BERTH_BUSY:
      return Change(ShellEvent::kBusy);
    case BERTH_STARTED:
      if (packet.id != run_id_) return;
      run_started_ = true;
      run_started_ticks_ = NowTicks();
      Change(ShellEvent::kRunStarted);
      return observer_.OnRunStarted(packet.id);
    case BERTH_DONE:
      return HandleDone(packet);
    case BERTH_WITHDRAWN:
    case BERTH_REFUSED:
      if (packet.id != run_id_) return;
      ForgetRun();
      observer_.OnRunDropped(packet.id, packet.text);
      return Change(ShellEvent::kRunDropped);
    case BERTH_RUN:
    case BERTH_WITHDRAW:
    case BERTH_ACK:
      return;  // Only the holder sends these.
  }
}

void BashShell::HandleDone(const ControlPacket& packet) {
  if (packet.id != run_id_) return;
  if (!run_started_) observer_.OnRunStarted(packet.id);
  RunEnd end;
  end.id = packet.id;
  end.status = packet.status;
  int jump = packet.how & ~BERTH_HOW_FORCED;
  end.interrupted = (packet.how & BERTH_HOW_FORCED) != 0 ||
                    jump == BERTH_HOW_DISCARD || jump == BERTH_HOW_EXITPROG;
  end.exited = jump == BERTH_HOW_EXIT || jump == BERTH_HOW_ERREXIT;
  end.duration_ns = packet.ns;
  end.cwd = packet.text;
  cwd_ = packet.text;
  ForgetRun();
  observer_.OnRunEnded(end);
  Change(ShellEvent::kRunDone);
}

void BashShell::Change(ShellEvent event) {
  ShellState next = NextState(state_, event);
  if (next == state_) return;
  state_ = next;
  observer_.OnStateChange();
}

void BashShell::ForgetRun() {
  run_id_ = 0;
  canceller_.reset();
  next_cancel_step_ = absl::InfiniteFuture();
}

absl::Status BashShell::Start(const Run& run) {
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
  BERTH_RETURN_IF_ERROR(
      channel_.Send(packet, {run.script, run.in, run.out, run.err}));
  run_id_ = run.id;
  run_started_ = false;
  Change(ShellEvent::kRunSent);
  return absl::OkStatus();
}

void BashShell::Withdraw(uint64_t id) {
  if (id != run_id_ || run_started_) return;
  ControlPacket packet;
  packet.type = BERTH_WITHDRAW;
  packet.id = id;
  channel_.Send(packet).IgnoreError();  // If it is gone, so is the run.
}

void BashShell::Acknowledge(uint64_t id, bool redraw) {
  ControlPacket packet;
  packet.type = BERTH_ACK;
  packet.id = id;
  packet.flags = redraw ? BERTH_ACK_REDRAW : 0;
  channel_.Send(packet).IgnoreError();  // The hook goes on without, later.
}

void BashShell::Cancel(bool force) {
  if (run_id_ == 0) return;
  absl::Time now = MonotonicNow();
  if (!canceller_) {
    canceller_.emplace(now, force);
  } else if (force) {
    canceller_->Force(now);
  }
  StepCancel(now);
}

void BashShell::StepCancel(absl::Time now) {
  if (!canceller_ || run_id_ == 0) return;
  Canceller::Target target;
  target.run_id = run_id_;
  target.shell = process_.pid;
  target.terminal = process_.terminal.get();
  target.started_ticks = run_started_ ? run_started_ticks_ : NowTicks();
  target.replaced = state_ == ShellState::kReplaced;
  next_cancel_step_ = now + canceller_->Step(now, target);
}

void BashShell::HandleExit() {
  // What the shell said before it ended comes first: a run that ended by `exit`
  // has its own status.
  HandleControl();
  Change(ShellEvent::kProcessExited);
}

}  // namespace berth::shell
