#include "agent/agent_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

// The holder that an agent was starting when it was killed has its lock until
// it is a program of its own: for milliseconds, on a busy machine for longer.
constexpr absl::Duration kPatience = absl::Seconds(2);

// Ending may take as long as the calls that are drained.
constexpr absl::Duration kRestartPatience = absl::Seconds(30);

// The process that has locked `directory`; 0 if none has.
absl::StatusOr<pid_t> FindAgent(const std::string& directory) {
  const std::string path = directory + "/lock";
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return 0;
  // Shared: another of these commands must not look like an agent.
  if (flock(file.get(), LOCK_SH | LOCK_NB) == 0) return 0;
  BERTH_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  pid_t pid = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &pid) || pid <= 1) {
    return absl::UnavailableError(absl::StrCat(
        "the agent that serves ", directory,
        " can't be told, since it does not say which process it is"));
  }
  return pid;
}

// When an agent last locked the directory.
absl::Time LockedAt(const std::string& directory) {
  struct stat file;
  if (stat((directory + "/lock").c_str(), &file) != 0) {
    return absl::InfinitePast();
  }
  return absl::TimeFromTimespec(file.st_mtim);
}

}  // namespace

absl::StatusOr<UniqueFd> LockDirectory(const std::string& directory) {
  const std::string path = directory + "/lock";
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return ErrnoToStatus(errno, path);
  const absl::Time deadline = absl::Now() + kPatience;
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (absl::Now() > deadline) {
      return absl::FailedPreconditionError(
          absl::StrCat("another agent serves ", directory));
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(file.get(), 0) != 0 ||
      write(file.get(), pid.data(), pid.size()) !=
          static_cast<ssize_t>(pid.size())) {
    return ErrnoToStatus(errno, path);
  }
  return file;
}

absl::StatusOr<bool> TellAgentToReload(const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(const pid_t pid, FindAgent(directory));
  if (pid == 0) return false;
  if (kill(pid, SIGHUP) != 0) {
    return ErrnoToStatus(errno, absl::StrCat("tell process ", pid));
  }
  return true;
}

absl::Status RestartAgent(const std::string& directory) {
  const absl::Time before = LockedAt(directory);
  BERTH_ASSIGN_OR_RETURN(const pid_t pid, FindAgent(directory));
  if (pid == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("no agent serves ", directory,
                     ": start it with `berth-agent serve`, or `systemctl "
                     "start berth-agent`"));
  }
  if (kill(pid, SIGUSR1) != 0) {
    return ErrnoToStatus(errno, absl::StrCat("tell process ", pid));
  }
  const absl::Time deadline = MonotonicNow() + kRestartPatience;
  while (MonotonicNow() < deadline) {
    if (kill(pid, 0) != 0 && errno == ESRCH) {
      return absl::UnavailableError(absl::StrCat(
          "the agent that serves ", directory, ", process ", pid,
          ", ended instead of beginning anew; its log says why. Sessions "
          "live on: start it with `berth-agent serve`"));
    }
    const absl::StatusOr<pid_t> now = FindAgent(directory);
    if (now.ok() && *now == pid && LockedAt(directory) != before) {
      return absl::OkStatus();
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  return absl::DeadlineExceededError(absl::StrCat(
      "the agent that serves ", directory, ", process ", pid,
      ", has not begun anew in ", absl::FormatDuration(kRestartPatience)));
}

}  // namespace berth::agent
