#include "agent/holder/startup_script.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "agent/shell/memory_file.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

// What ends closes its channel a little before it is gone, which says more.
constexpr absl::Duration kReplacedDelay = absl::Milliseconds(200);
// So that a flood leaves time for the rest. More than a pipe holds.
constexpr int kMaxReads = 64;

}  // namespace

StartupScript::~StartupScript() {
  if (timer_) loop_.Cancel(*timer_);
  if (errors_.valid()) loop_.Unwatch(errors_.get());
}

void StartupScript::Begin() {
  begun_ = true;
  timer_ = loop_.After(limit_, [this] {
    timer_.reset();
    Finish(absl::DeadlineExceededError(WithErrors(
        absl::StrCat(started_ ? "the startup script"
                              : "the shell's own start-up files, before the "
                                "startup script,",
                     " took longer than ", absl::FormatDuration(limit_)))));
  });
}

void StartupScript::OnStateChange(shell::Shell& shell) {
  if (shell.state() == shell::ShellState::kReplaced) return OnReplaced();
  if (!begun_ || started_ || shell.state() != shell::ShellState::kIdle) return;
  started_ = true;
  absl::Status status = Start(shell);
  if (!status.ok()) Finish(status);
}

void StartupScript::OnReplaced() {
  if (timer_) loop_.Cancel(*timer_);
  timer_ = loop_.After(kReplacedDelay, [this] {
    timer_.reset();
    Finish(absl::FailedPreconditionError(
        "the startup script made the shell another program"));
  });
}

absl::Status StartupScript::Start(shell::Shell& shell) {
  BERTH_ASSIGN_OR_RETURN(UniqueFd script,
                         shell::NewMemoryFile("startup", script_));
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  int ends[2];
  if (!null.valid() || pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoToStatus(errno, "opening the startup script's streams");
  }
  errors_.reset(ends[0]);
  UniqueFd writer(ends[1]);
  fcntl(errors_.get(), F_SETFL, O_NONBLOCK);
  BERTH_RETURN_IF_ERROR(
      loop_.Watch(errors_.get(), EPOLLIN, [this](uint32_t) { ReadErrors(); }));
  shell::Run run;
  run.id = kRunId;
  run.script = script.get();
  run.in = run.out = null.get();
  run.err = writer.get();
  return shell.Start(run);
}

void StartupScript::ReadErrors() {
  char bytes[4096];
  for (int i = 0; i < kMaxReads && errors_.valid(); ++i) {
    ssize_t length = read(errors_.get(), bytes, sizeof(bytes));
    if (length < 0 && errno == EINTR) continue;
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) {
      loop_.Unwatch(errors_.get());
      errors_.reset();
      return;
    }
    shown_errors_.append(bytes, static_cast<size_t>(length));
    if (shown_errors_.size() > kShownErrors) {
      shown_errors_.erase(0, shown_errors_.size() - kShownErrors);
    }
  }
}

std::string StartupScript::WithErrors(const std::string& text) {
  ReadErrors();
  if (shown_errors_.empty()) return text;
  std::string shown = EscapeForTerminal(shown_errors_);
  if (shown.size() > kShownErrors) {
    shown.erase(0, shown.size() - kShownErrors);
  }
  return absl::StrCat(text, ": ", shown);
}

void StartupScript::OnRunEnded(const shell::RunEnd& end) {
  if (end.status == 0) return Finish(absl::OkStatus());
  Finish(absl::FailedPreconditionError(WithErrors(
      absl::StrCat("the startup script failed with status ", end.status))));
}

void StartupScript::OnRunDropped(const std::string& why) {
  Finish(absl::FailedPreconditionError(
      absl::StrCat("the shell did not take the startup script: ", why)));
}

void StartupScript::Finish(const absl::Status& status) {
  if (timer_) loop_.Cancel(*timer_);
  timer_.reset();
  if (done_) std::exchange(done_, nullptr)(status);
}

}  // namespace berth::holder
