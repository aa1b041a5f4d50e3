#include "agent/agent_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::agent {

absl::StatusOr<UniqueFd> LockDirectory(const std::string& directory) {
  const std::string path = directory + "/lock";
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid()) return ErrnoToStatus(errno, path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("another agent serves ", directory));
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
  const std::string path = directory + "/lock";
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return false;
  // Shared: another of these commands must not look like an agent.
  if (flock(file.get(), LOCK_SH | LOCK_NB) == 0) return false;
  BERTH_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  pid_t pid = 0;
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &pid) || pid <= 1) {
    return absl::UnavailableError(absl::StrCat(
        "the agent that serves ", directory,
        " can't be told, since it does not say which process it is"));
  }
  if (kill(pid, SIGHUP) != 0) {
    return ErrnoToStatus(errno, absl::StrCat("tell process ", pid));
  }
  return true;
}

}  // namespace berth::agent
