// What a session tells its connections, and what they ask of it.

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/holder/session.h"
#include "agent/holder/text.h"
#include "agent/shell/processes.h"
#include "base/escape.h"

namespace berth::holder {
namespace {

constexpr size_t kMaxWhat = 200;
constexpr size_t kMaxText = 4096;
constexpr int kMaxComplaints = 100;
constexpr char kInterruptKey = 3;  // Ctrl-C
// A program that has printed something without a newline and then nothing for
// so long is taken to wait for an answer.
constexpr absl::Duration kTerminalWait = absl::Milliseconds(300);
// Whoever types is told what was taken of it after so long, or after so much.
constexpr absl::Duration kTakenDelay = absl::Milliseconds(100);
// What is in front changes soon after a line was accepted: bash starts it.
constexpr absl::Duration kRefresh = absl::Milliseconds(50);
// A shell that ends closes its channel a little before it is gone.
constexpr absl::Duration kReplacedDelay = absl::Milliseconds(50);

}  // namespace

// ---- Connections ----

void Session::Accept(UniqueFd fd) {
  if (connections_.size() >= kMaxConnections) return;
  // There may never be a session.
  if (startup_ && startup_->pending()) return;
  uint64_t id = ++next_connection_;
  auto connection =
      std::make_unique<Connection>(id, std::move(fd), loop_, *terminal_, *this);
  if (connection->Open().ok()) connections_[id] = std::move(connection);
}

void Session::OnClosed(Connection& connection) {
  loop_.After(absl::ZeroDuration(), [this, id = connection.id()] {
    connections_.erase(id);
    visits_.Closed(id);
    UpdateExitLeaves();
    for (const auto& [other, open] : connections_) {
      if (open->watches_terminal()) return;
    }
    terminal_->ForgetScreen();
  });
}

void Session::Send(uint64_t connection, const v1::Event& event) {
  auto found = connections_.find(connection);
  if (found != connections_.end()) found->second->Send(event);
}

void Session::SendAdvanced(uint64_t connection, uint64_t sequence,
                           uint64_t offset) {
  auto found = connections_.find(connection);
  if (found != connections_.end()) {
    found->second->SendAdvanced(sequence, offset);
  }
}

void Session::OnRequest(Connection& connection, const v1::Request& request,
                        UniqueFd fd) {
  switch (request.request_case()) {
    case v1::Request::kAttach:
      connection.set_attached();
      return connection.SendState(CurrentState());
    case v1::Request::kDescribe:
      return connection.SendState(CurrentState());
    case v1::Request::kStart:
      return commands_->Start(connection.id(), request.start(), std::move(fd));
    case v1::Request::kStdin:
      return commands_->Stdin(connection.id(), request.stdin());
    case v1::Request::kInterrupt:
      commands_->Interrupt(request.interrupt());
      return ScheduleShellStep();
    case v1::Request::kAck:
      return commands_->Ack(request.ack());
    case v1::Request::kWithdraw:
      return commands_->Withdraw(request.withdraw());
    case v1::Request::kTerminate:
      return End(request.terminate().reason(), "asked to end");
    case v1::Request::kTerminalInput:
      if (!HasTerminal(connection)) return;
      return Type(connection, request.terminal_input());
    case v1::Request::kWatchTerminal:
      if (!HasTerminal(connection)) return;
      connection.set_exit_leaves(request.watch_terminal().exit_leaves());
      UpdateExitLeaves();
      return connection.WatchTerminal(
          request.watch_terminal().has_from_offset()
              ? std::optional(request.watch_terminal().from_offset())
              : std::nullopt);
    case v1::Request::kResizeTerminal:
      return terminal_->Resize(
          static_cast<uint16_t>(request.resize_terminal().rows()),
          static_cast<uint16_t>(request.resize_terminal().columns()));
    case v1::Request::kSetBuffering:
      return commands_->SetBuffering(request.set_buffering());
    case v1::Request::kRecorded:
      terminal_->Recorded(request.recorded());
      return commands_->Recorded(request.recorded());
    case v1::Request::REQUEST_NOT_SET:
      return;  // From a later version.
  }
}

// ---- The terminal ----

// Says so if not.
bool Session::HasTerminal(Connection& connection) {
  if (shell_->terminal() >= 0) return true;
  v1::Event event;
  event.mutable_refused()->set_code(
      static_cast<int32_t>(absl::StatusCode::kFailedPrecondition));
  event.mutable_refused()->set_message(
      "the session has no terminal: it is restricted to single programs, "
      "which `berth run` runs");
  connection.Send(event);
  return false;
}

void Session::Type(Connection& connection, const v1::TerminalInput& input) {
  std::string keys(visits_.Take(connection.id(), input.visit(), input.offset(),
                                input.data()));
  if (terminal_->held() && absl::StrContains(keys, kInterruptKey)) {
    keys.erase(std::remove(keys.begin(), keys.end(), kInterruptKey),
               keys.end());
    commands_->InterruptRunning(false);
    ScheduleShellStep();
  }
  absl::Status status = terminal_->Type(keys);
  if (!status.ok()) {
    v1::Event event;
    event.mutable_notice()->set_text(std::string(status.message()));
    connection.Send(event);
  }
  // Else it is told when there is room.
  if (terminal_->pending() <= Terminal::kRoomyPending) ReportTakenSoon();
}

void Session::ReportTakenSoon() {
  if (visits_.HasMuchToReport()) return ReportTaken();
  if (taken_timer_) return;
  taken_timer_ = loop_.After(kTakenDelay, [this] {
    taken_timer_.reset();
    if (terminal_->pending() <= Terminal::kRoomyPending) ReportTaken();
  });
}

void Session::ReportTaken() {
  for (const TypedVisits::Report& report : visits_.TakeReports()) {
    v1::Event event;
    event.mutable_terminal_taken()->set_visit(report.visit);
    event.mutable_terminal_taken()->set_offset(report.offset);
    Send(report.connection, event);
  }
}

void Session::UpdateExitLeaves() {
  bool leaves = false;
  for (const auto& [id, connection] : connections_) {
    leaves = leaves || connection->exit_leaves();
  }
  if (leaves == exit_leaves_) return;
  exit_leaves_ = leaves;
  shell_->SetExitLeaves(leaves);
}

void Session::OnExitTyped() {
  v1::Event event;
  event.mutable_exit_typed();
  for (const auto& [id, connection] : connections_) {
    if (connection->exit_leaves()) connection->Send(event);
  }
}

// While the shell has a run, typed bytes wait: the terminal is in the mode for
// commands, which would take control keys that are meant for readline. Unless
// the run itself asks for something there.
void Session::UpdateHold() {
  shell::ShellState state = shell_->state();
  bool run =
      state == shell::ShellState::kSent || state == shell::ShellState::kRunning;
  if (!run) terminal_wait_ = false;
  bool hold = run && !terminal_wait_;
  if (hold != terminal_->held()) terminal_->Hold(hold);
}

void Session::OnTerminalOutput() {
  for (auto& [id, connection] : connections_) {
    if (connection->watches_terminal()) connection->PumpTerminal();
  }
  if (shell_->state() != shell::ShellState::kRunning) return;
  if (terminal_wait_timer_) loop_.Cancel(*terminal_wait_timer_);
  terminal_wait_timer_ =
      loop_.After(kTerminalWait, [this, offset = terminal_->end()] {
        terminal_wait_timer_.reset();
        CheckTerminalWait(offset);
      });
}

void Session::CheckTerminalWait(uint64_t offset) {
  if (shell_->state() != shell::ShellState::kRunning || terminal_wait_ ||
      terminal_->end() != offset || commands_->running() == nullptr) {
    return;
  }
  uint64_t begin = commands_->running()->active->terminal_offset;
  absl::string_view printed = terminal_->From(begin);
  size_t newline = printed.rfind('\n');
  absl::string_view line =
      newline == printed.npos ? printed : printed.substr(newline + 1);
  if (line.empty()) return;
  terminal_wait_ = true;
  UpdateHold();
  commands_->NotifyRunning(
      absl::StrCat("the command waits on the session's terminal: ",
                   EscapeForTerminal(line.substr(0, kMaxWhat))));
}

// ---- What the session is doing ----

v1::State::Kind Session::CurrentKind() const {
  switch (shell_->state()) {
    case shell::ShellState::kStarting:
      return v1::State::STARTING;
    case shell::ShellState::kIdle:
      return v1::State::IDLE;
    case shell::ShellState::kSent:
    case shell::ShellState::kRunning:
      return v1::State::COMMAND;
    case shell::ShellState::kOvertaken:
    case shell::ShellState::kUserBusy:
      return v1::State::TERMINAL;
    case shell::ShellState::kReplaced:
    case shell::ShellState::kExited:
      return v1::State::REPLACED;
  }
  return v1::State::KIND_UNSPECIFIED;
}

std::string Session::DescribeForeground() const {
  pid_t group = terminal_->Foreground();
  bool replaced = shell_->state() == shell::ShellState::kReplaced;
  if (group <= 0 || (group == shell_->pid() && !replaced)) {
    return terminal_->IsRaw() ? "a command that is being typed"
                              : "a command of the shell itself";
  }
  return ValidText(shell::CommandLineOf(group), kMaxWhat);
}

v1::State Session::CurrentState() {
  v1::State state;
  state.set_kind(CurrentKind());
  if (state.kind() == v1::State::COMMAND) {
    if (const Command* command = commands_->running()) {
      state.set_what(command->what);
      state.set_command_id(command->id);
    }
  } else if (state.kind() == v1::State::TERMINAL ||
             state.kind() == v1::State::REPLACED) {
    state.set_what(DescribeForeground());
  }
  if (state.kind() != announced_.kind() ||
      state.command_id() != announced_.command_id()) {
    since_ns_ = absl::GetCurrentTimeNanos();
    announced_.set_kind(state.kind());
    announced_.set_command_id(state.command_id());
  }
  state.set_since_ns(since_ns_);
  state.set_queued(static_cast<uint32_t>(commands_->waiting()));
  state.set_cwd(ValidText(shell_->cwd(), kMaxText));
  state.set_shell_pid(static_cast<uint32_t>(shell_->pid()));
  commands_->DescribeOutput(state);
  return state;
}

void Session::OnCommandsChange() {
  if (shell_->state() == shell::ShellState::kExited) return;
  if (shell_->state() == shell::ShellState::kReplaced) {
    if (refresh_timer_) loop_.Cancel(*refresh_timer_);
    refresh_timer_ = loop_.After(kReplacedDelay, [this] {
      refresh_timer_.reset();
      if (!shell_exited_) AnnounceState();
    });
    return;
  }
  AnnounceState();
  if (CurrentKind() == v1::State::TERMINAL) RefreshStateLater();
}

// Few, so that a program that provokes them fills no log.
void Session::Complain(const std::string& what) {
  if (++complaints_ > kMaxComplaints) return;
  v1::Event event;
  event.mutable_notice()->set_text(ValidText(what, kMaxText));
  for (auto& [id, connection] : connections_) {
    if (connection->attached()) connection->Send(event);
  }
}

void Session::AnnounceState() {
  v1::State state = CurrentState();
  for (auto& [id, connection] : connections_) {
    if (connection->attached()) connection->SendState(state);
  }
}

void Session::RefreshStateLater() {
  if (refresh_timer_) return;
  refresh_timer_ = loop_.After(kRefresh, [this] {
    refresh_timer_.reset();
    if (CurrentKind() == v1::State::TERMINAL) AnnounceState();
  });
}

}  // namespace berth::holder
