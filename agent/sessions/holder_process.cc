#include "agent/sessions/holder_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/files.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace berth::agent {
namespace {

constexpr uint32_t kMaxAnswerBytes = 64 << 10;
// What a process takes to end that has closed its connections.
constexpr absl::Duration kEndingTime = absl::Milliseconds(100);

// The fields of /proc/<pid>/stat after the name, which may contain anything.
// The first of them is field 3.
std::vector<std::string> StatFields(pid_t pid) {
  const absl::StatusOr<std::string> stat =
      ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  if (!stat.ok()) return {};
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return {};
  return absl::StrSplit(stat->substr(name_end + 1), ' ', absl::SkipEmpty());
}

constexpr size_t kSession = 6 - 3;

void KillSession(pid_t session) {
  std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (proc == nullptr) return;
  while (const dirent* entry = readdir(proc.get())) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    const std::vector<std::string> fields = StatFields(pid);
    pid_t its_session = 0;
    if (fields.size() > kSession &&
        absl::SimpleAtoi(fields[kSession], &its_session) &&
        its_session == session) {
      kill(pid, SIGKILL);
    }
  }
}

// Both ends of a stream; the second is for the child.
absl::StatusOr<std::pair<UniqueFd, UniqueFd>> MakeSocketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return ErrnoToStatus(errno, "socketpair");
  }
  return std::pair<UniqueFd, UniqueFd>(UniqueFd(fds[0]), UniqueFd(fds[1]));
}

absl::StatusOr<pid_t> Spawn(const std::string& binary, int channel) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, channel, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, channel, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                   O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  std::string name = "berth-holder";
  char* argv[] = {name.data(), nullptr};
  // Nothing but what tests ask of it.
  const char* points = getenv("BERTH_PAUSE_POINTS");
  std::string pauses =
      absl::StrCat("BERTH_PAUSE_POINTS=", points ? points : "");
  char* env[] = {points != nullptr ? pauses.data() : nullptr, nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, binary.c_str(), &actions, &attributes, argv, env);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return ErrnoToStatus(error, absl::StrCat("start ", binary));
  }
  return pid;
}

absl::Status ReadExactly(int fd, char* out, size_t size, absl::Time deadline) {
  while (size > 0) {
    pollfd waiting{fd, POLLIN, 0};
    const int64_t left =
        absl::ToInt64Milliseconds(deadline - MonotonicNow()) + 1;
    const int ready = left <= 0 ? 0 : poll(&waiting, 1, left);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      return absl::DeadlineExceededError(
          "the session's holder did not start in time");
    }
    const ssize_t got = read(fd, out, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return absl::FailedPreconditionError(
          "the session's holder ended before its shell was ready");
    }
    out += got;
    size -= got;
  }
  return absl::OkStatus();
}

std::string LengthPrefix(uint32_t length) {
  std::string prefix;
  for (int i = 0; i < 4; ++i) {
    prefix.push_back(static_cast<char>(length >> (8 * i)));
  }
  return prefix;
}

absl::StatusOr<holder::v1::HolderStarted> ReadAnswer(int fd,
                                                     absl::Time deadline) {
  unsigned char prefix[4];
  BERTH_RETURN_IF_ERROR(ReadExactly(fd, reinterpret_cast<char*>(prefix),
                                    sizeof(prefix), deadline));
  const uint32_t length = prefix[0] | prefix[1] << 8 | prefix[2] << 16 |
                          static_cast<uint32_t>(prefix[3]) << 24;
  holder::v1::HolderStarted started;
  if (length > kMaxAnswerBytes) {
    return absl::InternalError("the holder's answer can't be read");
  }
  std::string body(length, '\0');
  BERTH_RETURN_IF_ERROR(ReadExactly(fd, body.data(), body.size(), deadline));
  if (!started.ParseFromString(body)) {
    return absl::InternalError("the holder's answer can't be read");
  }
  if (!started.error().empty()) {
    return absl::FailedPreconditionError(started.error());
  }
  return started;
}

}  // namespace

bool WaitForExit(const holder::HolderIdentity& identity, absl::Duration limit) {
  const UniqueFd process(syscall(SYS_pidfd_open, identity.pid, 0));
  if (!process.valid() && errno == ESRCH) return true;
  const auto wait = [&](absl::Duration time) {
    pollfd ended{process.get(), POLLIN, 0};
    return process.valid() &&
           poll(&ended, 1, absl::ToInt64Milliseconds(time)) == 1;
  };
  // Most are just ending. Who looks at such a one in /proc, while the kernel
  // takes that apart, makes both spin for milliseconds.
  const absl::Duration soon = std::min(limit, kEndingTime);
  if (wait(soon)) return true;
  // Checked after it was opened: it can't become another process any more.
  if (holder::FateOf(identity) != holder::HolderFate::kAlive) return true;
  return wait(limit - soon);
}

void KillHolder(const holder::HolderIdentity& identity, pid_t shell_pid) {
  if (holder::FateOf(identity) != holder::HolderFate::kAlive) return;
  // The shell leads its terminal session. Its pid is of use only while its
  // parent, the holder, lives: so it goes first.
  if (shell_pid > 1) {
    const std::vector<std::string> fields = StatFields(shell_pid);
    pid_t session = 0;
    if (fields.size() > kSession &&
        absl::SimpleAtoi(fields[kSession], &session) && session == shell_pid) {
      KillSession(session);
    }
  }
  kill(identity.pid, SIGKILL);
}

absl::StatusOr<holder::v1::HolderStarted> StartHolder(
    const std::string& binary, const holder::v1::HolderStart& start,
    absl::Duration limit) {
  const absl::Time deadline = MonotonicNow() + limit;
  BERTH_ASSIGN_OR_RETURN(auto ends, MakeSocketPair());
  BERTH_ASSIGN_OR_RETURN(const pid_t pid, Spawn(binary, ends.second.get()));
  ends.second.reset();
  const std::string body = start.SerializeAsString();
  absl::Status written =
      WriteAll(ends.first.get(), LengthPrefix(body.size()) + body);
  shutdown(ends.first.get(), SHUT_WR);
  absl::StatusOr<holder::v1::HolderStarted> started =
      written.ok() ? ReadAnswer(ends.first.get(), deadline)
                   : absl::StatusOr<holder::v1::HolderStarted>(written);
  if (!started.ok()) {
    kill(pid, SIGKILL);
    KillSession(pid);
  }
  return started;
}

}  // namespace berth::agent
