#include "agent/shell/restricted/restricted_shell.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "agent/shell/monotonic.h"
#include "agent/shell/processes.h"
#include "agent/shell/restricted/command_line.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::shell {
namespace {

// As shells have it.
constexpr int kNotAllowed = 126;
constexpr int kNotFound = 127;
constexpr size_t kMaxCommandLine = 64 << 10;

absl::StatusOr<std::string> ReadScript(int fd) {
  std::string script(kMaxCommandLine + 1, '\0');
  ssize_t length = pread(fd, script.data(), script.size(), 0);
  if (length < 0) return ErrnoToStatus(errno, "reading the command");
  script.resize(static_cast<size_t>(length));
  if (script.size() > kMaxCommandLine) {
    return absl::InvalidArgumentError(
        absl::StrCat("a command line in a restricted session may have ",
                     kMaxCommandLine, " bytes at most"));
  }
  return script;
}

int StatusOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
                                  : WEXITSTATUS(wait_status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Shell>> RestrictedShell::Create(
    SpawnOptions options, std::vector<AllowedProgram> allowed,
    ShellObserver& observer) {
  BERTH_ASSIGN_OR_RETURN(AllowList list, AllowList::Create(std::move(allowed)));
  // The first event is the hello.
  UniqueFd events(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!events.valid()) return ErrnoToStatus(errno, "eventfd");
  struct stat info;
  if (options.cwd.empty() || stat(options.cwd.c_str(), &info) != 0 ||
      !S_ISDIR(info.st_mode)) {
    options.cwd = "/";
  }
  // Opened while we may: the rights to do so are given up soon.
  UniqueFd directory;
  UniqueFd cgroup;
  if (options.credentials) {
    directory.reset(
        open(options.cwd.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) return ErrnoToStatus(errno, options.cwd);
    options.cwd_fd = directory.get();
    if (!options.cgroup.empty()) {
      BERTH_ASSIGN_OR_RETURN(cgroup, OpenCgroup(options));
      options.cgroup_procs_fd = cgroup.get();
    }
  }
  std::unique_ptr<RestrictedShell> shell(new RestrictedShell(
      std::move(options), std::move(list), std::move(events), observer));
  shell->directory_ = std::move(directory);
  shell->cgroup_ = std::move(cgroup);
  return shell;
}

void RestrictedShell::Call() {
  const uint64_t one = 1;
  // It can't be full.
  if (write(events_.get(), &one, sizeof(one)) < 0) return;
}

void RestrictedShell::Change(ShellEvent event) {
  ShellState next = NextState(state_, event);
  if (next == state_) return;
  state_ = next;
  observer_.OnStateChange();
}

absl::StatusOr<pid_t> RestrictedShell::Execute(const Run& run) {
  BERTH_ASSIGN_OR_RETURN(std::string script, ReadScript(run.script));
  BERTH_ASSIGN_OR_RETURN(std::vector<std::string> words,
                         SplitCommandLine(script));
  SpawnOptions options = options_;
  BERTH_ASSIGN_OR_RETURN(options.program, allowed_.Check(words));
  options.name = words[0];
  options.arguments.assign(words.begin() + 1, words.end());
  return Spawn(options, {run.in, run.out, run.err}, Leads::kProcessGroup);
}

// Tells of it only in HandleControl(): whoever calls is not ready for that.
absl::Status RestrictedShell::Start(const Run& run) {
  if (state_ != ShellState::kIdle) {
    return absl::FailedPreconditionError(
        absl::StrCat("the session is ", ToString(state_)));
  }
  run_id_ = run.id;
  said_started_ = false;
  started_ticks_ = NowTicks();
  started_at_ = MonotonicNow();
  absl::StatusOr<pid_t> child = Execute(run);
  child_ = child.ok() ? *child : 0;
  if (!child.ok()) {
    refused_status_ =
        absl::IsNotFound(child.status()) ? kNotFound : kNotAllowed;
    // Into an empty pipe, which has room for it.
    WriteAll(run.err, absl::StrCat(child.status().message(), "\n"))
        .IgnoreError();
  }
  Call();
  Change(ShellEvent::kRunSent);
  return absl::OkStatus();
}

void RestrictedShell::HandleControl() {
  uint64_t count;
  if (read(events_.get(), &count, sizeof(count)) < 0) return;
  if (!said_hello_) {
    said_hello_ = true;
    observer_.OnHello();
    return Change(ShellEvent::kPrompt);
  }
  if (run_id_ == 0) return;
  SayStarted();
  if (child_ == 0) SayEnded(refused_status_, false);
}

void RestrictedShell::SayStarted() {
  if (said_started_) return;
  said_started_ = true;
  Change(ShellEvent::kRunStarted);
  observer_.OnRunStarted(run_id_);
}

void RestrictedShell::SayEnded(int status, bool interrupted) {
  RunEnd end;
  end.id = std::exchange(run_id_, 0);
  end.status = status;
  end.interrupted = interrupted;
  end.duration_ns = static_cast<uint64_t>(
      absl::ToInt64Nanoseconds(MonotonicNow() - started_at_));
  end.cwd = options_.cwd;
  canceller_.reset();
  next_step_ = absl::InfiniteFuture();
  observer_.OnRunEnded(end);
  Change(ShellEvent::kRunDone);
}

void RestrictedShell::HandleChildExit(pid_t pid, int wait_status) {
  if (pid != child_ || run_id_ == 0) return;
  SayStarted();
  child_ = 0;
  SayEnded(StatusOf(wait_status),
           canceller_.has_value() && WIFSIGNALED(wait_status));
}

void RestrictedShell::Cancel(bool force) {
  if (child_ == 0) return;
  absl::Time now = MonotonicNow();
  if (!canceller_) {
    canceller_.emplace(now, force);
  } else if (force) {
    canceller_->Force(now);
  }
  Step(now);
}

// The program leads its process group, as if it were a shell that was replaced.
void RestrictedShell::Step(absl::Time now) {
  if (!canceller_ || child_ == 0) return;
  Canceller::Target target;
  target.run_id = run_id_;
  target.shell = child_;
  target.group = child_;
  target.started_ticks = started_ticks_;
  target.replaced = true;
  next_step_ = now + canceller_->Step(now, target, [](bool) {});
}

}  // namespace berth::shell
