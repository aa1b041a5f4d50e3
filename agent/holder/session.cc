#include "agent/holder/session.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/holder/rights.h"
#include "agent/holder/shell_start.h"
#include "agent/holder/text.h"
#include "agent/shell/monotonic.h"
#include "agent/shell/processes.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

// EndReason of berth.v1.
constexpr uint32_t kShellExited = 2;
constexpr uint32_t kStartFailed = 6;

constexpr size_t kMaxText = 4096;
constexpr size_t kShownOutput = 400;
std::string DescribeExit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return absl::StrCat("was ended by signal ", WTERMSIG(wait_status));
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(wait_status));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Create(
    EventLoop& loop, const v1::HolderStart& start,
    std::function<void(const absl::Status&)> on_ready) {
  BERTH_ASSIGN_OR_RETURN(agent::Journal journal,
                         agent::Journal::Open(start.directory() + "/journal"));
  std::unique_ptr<Session> session(
      new Session(loop, std::move(journal), std::move(on_ready)));
  BERTH_RETURN_IF_ERROR(session->Init(start));
  return session;
}

absl::Status Session::Init(const v1::HolderStart& start) {
  BERTH_ASSIGN_OR_RETURN(
      logs_, agent::SessionLogs::Open(start.directory(), start.log_limit(),
                                      start.when_full() == v1::HolderStart::DROP
                                          ? agent::WhenFull::kDrop
                                          : agent::WhenFull::kBlock));
  BERTH_ASSIGN_OR_RETURN(
      listener_, Listener::Open(loop_, start.directory(), [this](UniqueFd fd) {
        Accept(std::move(fd));
      }));
  BERTH_RETURN_IF_ERROR(StartShell(start));
  if (start.kind() != v1::HolderStart::RESTRICTED) LeaveNoCore();
  if (start.has_run_as()) {
    BERTH_RETURN_IF_ERROR(
        KeepToSignals(start.kind() == v1::HolderStart::RESTRICTED));
  }
  terminal_ = std::make_unique<Terminal>(loop_, shell_->terminal(),
                                         [this] { OnTerminalOutput(); });
  terminal_->OnRoom([this] { ReportTaken(); });
  if (start.keep_until_recorded()) logs_->KeepUntilRecorded();
  if (start.log_terminal() && shell_->terminal() >= 0) {
    BERTH_RETURN_IF_ERROR(terminal_->LogTo(start.directory()));
  }
  commands_ =
      std::make_unique<Commands>(loop_, *shell_, *terminal_, *logs_, journal_,
                                 start.directory() + "/journal", *this);
  // No process is in session -1.
  end_ = std::make_unique<SessionEnd>(
      loop_, shell_->pid() > 0 ? shell_->pid() : -1, [this] { OnAllEnded(); });
  if (shell_->terminal() >= 0) BERTH_RETURN_IF_ERROR(terminal_->Open());
  control_ = shell_->control();
  return loop_.Watch(control_, EPOLLIN, [this](uint32_t) { HandleControl(); });
}

absl::Status Session::StartShell(const v1::HolderStart& start) {
  BERTH_ASSIGN_OR_RETURN(shell::ShellOptions options, ShellOptionsOf(start));
  hello_timeout_ = absl::Milliseconds(
      start.hello_timeout_ms() > 0 ? start.hello_timeout_ms() : 2000);
  if (!start.startup_script().empty()) {
    startup_ = std::make_unique<StartupScript>(
        loop_, start.startup_script(), hello_timeout_,
        [this](const absl::Status& status) { OnStartedUp(status); });
  }
  BERTH_ASSIGN_OR_RETURN(shell_, shell::CreateShell(std::move(options), *this));
  shell_path_ = start.shell();
  since_ns_ = absl::GetCurrentTimeNanos();
  hello_timer_ = loop_.After(hello_timeout_, [this] { HelloTimedOut(); });
  return absl::OkStatus();
}

Session::~Session() {
  for (auto& [id, connection] : connections_) connection->Close();
  if (control_ >= 0) loop_.Unwatch(control_);
}

// ---- Start ----

void Session::OnHello() {
  // A program in the session could say it again.
  if (!hello_timer_) return;
  loop_.Cancel(*hello_timer_);
  hello_timer_.reset();
  if (!startup_) return Ready(absl::OkStatus());
  startup_->Begin();
  startup_->OnStateChange(*shell_);
}

void Session::OnUnusable(const std::string& why) {
  if (!hello_timer_) return;
  FailStart(absl::FailedPreconditionError(
      absl::StrCat("the shell '", shell_path_,
                   "' can't host sessions: ", EscapeForTerminal(why))));
}

void Session::OnStartedUp(const absl::Status& status) {
  if (status.ok()) return Ready(status);
  FailStart(absl::Status(
      status.code(),
      absl::StrCat("the session's shell is not usable: ", status.message())));
}

void Session::FailStart(const absl::Status& why) {
  Ready(why);
  BeginEnd(state::SessionEvent::kFail, kStartFailed,
           std::string(why.message()));
}

void Session::Ready(const absl::Status& status) {
  if (hello_timer_) loop_.Cancel(*hello_timer_);
  hello_timer_.reset();
  if (!on_ready_) return;
  const bool over = status.ok() && !Step(state::SessionEvent::kReady, 0, "");
  std::exchange(on_ready_, nullptr)(
      over ? absl::CancelledError("the session was ended before it was ready")
           : status);
}

void Session::HelloTimedOut() {
  absl::Status why = absl::DeadlineExceededError(absl::StrCat(
      "the shell '", shell_path_, "' could not be hooked within ",
      absl::FormatDuration(hello_timeout_), ": ", shell_->DescribeSilence()));
  FailStart(why);
}

// ---- The shell ----

void Session::HandleControl() {
  shell_->HandleControl();
  if (control_ >= 0 && shell_->control() < 0) {
    loop_.Unwatch(control_);
    control_ = -1;
  }
  ScheduleShellStep();
}

void Session::OnStateChange() {
  ScheduleShellStep();
  if (startup_ && startup_->pending()) return startup_->OnStateChange(*shell_);
  UpdateHold();
  OnCommandsChange();
  commands_->OnShellStateChange();
}

void Session::OnRunStarted(uint64_t id) {
  if (id != StartupScript::kRunId) commands_->OnRunStarted(id);
}

void Session::OnRunEnded(const shell::RunEnd& end) {
  terminal_wait_ = false;
  if (end.id == StartupScript::kRunId) {
    shell_->Acknowledge(end.id, false);
    if (startup_) startup_->OnRunEnded(end);
    return;
  }
  commands_->OnRunEnded(end);
}

void Session::OnRunDropped(uint64_t id, const std::string& why) {
  if (id != StartupScript::kRunId) return commands_->OnRunDropped(id, why);
  if (startup_) startup_->OnRunDropped(why);
}

void Session::ScheduleShellStep() {
  if (shell_timer_) loop_.Cancel(*shell_timer_);
  shell_timer_.reset();
  absl::Time next = shell_->next_step();
  if (next == absl::InfiniteFuture()) return;
  shell_timer_ = loop_.After(next - shell::MonotonicNow(), [this] {
    shell_timer_.reset();
    shell_->Step(shell::MonotonicNow());
    ScheduleShellStep();
  });
}

void Session::Reap() {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
    if (pid != shell_->pid()) {
      if (!WIFSTOPPED(status)) shell_->HandleChildExit(pid, status);
    } else if (WIFSTOPPED(status)) {
      // By `suspend`, or a stray signal: nobody else could continue it.
      kill(pid, SIGCONT);
    } else {
      OnShellExit(status);
    }
  }
  end_->OnChildEnded();
}

void Session::OnShellExit(int wait_status) {
  if (shell_exited_) return;
  shell_exited_ = true;
  wait_status_ = wait_status;
  terminal_->Drain();
  shell_->HandleExit();
  if (control_ >= 0 && shell_->control() < 0) {
    loop_.Unwatch(control_);
    control_ = -1;
  }
  if (on_ready_) {
    uint64_t offset = 0;
    absl::string_view shown = terminal_->From(offset).substr(0, kShownOutput);
    std::string text = absl::StrCat(
        "the shell '", shell_path_, "' ", DescribeExit(wait_status),
        startup_ ? " in its start-up files or the startup script"
                 : " at its start",
        shown.empty() ? "" : absl::StrCat(": ", EscapeForTerminal(shown)));
    if (startup_) text = startup_->WithErrors(text);
    Ready(absl::FailedPreconditionError(text));
    Step(state::SessionEvent::kFail, kStartFailed, text);
  }
  commands_->OnShellEnd(wait_status);
  BeginEnd(state::SessionEvent::kShellExit, kShellExited,
           absl::StrCat("the shell ", DescribeExit(wait_status)));
}

// ---- The end ----

bool Session::Step(state::SessionEvent event, uint32_t reason,
                   const std::string& detail) {
  const state::Session from = life_.state();
  const state::SessionLife::Step step = life_.Apply(event, reason);
  if (step == state::SessionLife::Step::kGaveReason) end_detail_ = detail;
  if (step != state::SessionLife::Step::kRefused) return true;
  Complain(absl::StrCat("the session is ", state::ToString(from), ": no '",
                        state::ToString(event), "' is possible"));
  return false;
}

void Session::End(uint32_t reason, const std::string& detail) {
  BeginEnd(state::SessionEvent::kAsk, reason, detail);
}

void Session::BeginEnd(state::SessionEvent event, uint32_t reason,
                       const std::string& detail) {
  if (!Step(event, reason, detail)) return;
  commands_->Close();
  if (shell_->pid() == 0 && !shell_exited_) {
    shell_exited_ = true;
    commands_->OnShellEnd(SIGHUP);
  }
  end_->Begin();
}

void Session::OnAllEnded() {
  // Even if SIGCHLD has not been taken in yet.
  if (!shell_exited_) Reap();
  commands_->OnShellEnd(wait_status_);
  Step(state::SessionEvent::kGone, kShellExited, "");
  v1::JournalRecord record;
  v1::SessionEnded& ended = *record.mutable_session_ended();
  ended.set_reason(life_.reason());
  ended.set_wait_status(wait_status_);
  ended.set_at_ns(absl::GetCurrentTimeNanos());
  ended.set_detail(ValidText(end_detail_, kMaxText));
  journal_.Append(record).IgnoreError();  // There is nobody to tell.
  loop_.Stop();
}

}  // namespace berth::holder
