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
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
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

// Executes the first of `words`, and calls it by the last part of its path:
// where it is is nobody's business who lists processes.
absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& words,
                            int channel) {
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
  std::vector<char*> argv;
  for (const std::string& word : words) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  if (char* slash = strrchr(argv[0], '/')) argv[0] = slash + 1;
  // Nothing but what tests ask of it.
  const char* points = getenv("BERTH_PAUSE_POINTS");
  std::string pauses =
      absl::StrCat("BERTH_PAUSE_POINTS=", points ? points : "");
  char* env[] = {points != nullptr ? pauses.data() : nullptr, nullptr};
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, words[0].c_str(), &actions, &attributes, argv.data(), env);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return ErrnoToStatus(error, absl::StrCat("start ", words[0]));
  }
  return pid;
}

// A holder that is being started may not read for long.
absl::Status WriteInTime(int fd, absl::string_view bytes, absl::Time deadline) {
  while (!bytes.empty()) {
    const ssize_t sent =
        send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return ErrnoToStatus(errno, "the holder's start");
    pollfd waiting{fd, POLLOUT, 0};
    const int64_t left =
        absl::ToInt64Milliseconds(deadline - MonotonicNow()) + 1;
    if (left <= 0 || poll(&waiting, 1, left) == 0) {
      return absl::DeadlineExceededError(
          "the session's holder did not start in time");
    }
  }
  return absl::OkStatus();
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
      return absl::UnavailableError(
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

// What may be waited for, and what may have ended, besides the holder.
absl::Status ExplainLogin(const absl::Status& status, const Login& login) {
  if (absl::IsDeadlineExceeded(status)) {
    return absl::DeadlineExceededError(absl::StrCat(
        status.message(), ", or a module of the PAM service '", login.service,
        "' takes too long to open a session for account '", login.user, "'"));
  }
  if (!absl::IsUnavailable(status)) return status;
  return absl::FailedPreconditionError(absl::StrCat(
      status.message(), ", or there is no PAM session for account '",
      login.user, "': run ", login.program,
      " by hand to see whether it starts (it needs libpam.so.0, of Debian's "
      "libpam0g); the system's log (authpriv) says what its modules did"));
}

// `status`: why there is no answer. They are ended, with what they started.
void EndStarted(pid_t pid, const absl::Status& status, bool login) {
  if (!login) {
    kill(pid, SIGKILL);
    KillSession(pid);
  } else if (!absl::IsFailedPrecondition(status) &&
             !absl::IsUnavailable(status)) {
    // It ends the holder, and logs out. Else it does so by itself.
    kill(pid, SIGUSR1);
  }
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
    absl::Duration limit, const std::optional<Login>& login) {
  std::vector<std::string> words = {binary};
  if (login.has_value()) {
    words = {login->program, login->service, login->user, binary};
  }
  const absl::Time deadline = MonotonicNow() + limit;
  BERTH_ASSIGN_OR_RETURN(auto ends, MakeSocketPair());
  const absl::StatusOr<pid_t> spawned = Spawn(words, ends.second.get());
  if (!spawned.ok() && login.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        spawned.status().message(), "; pam = \"", login->service,
        "\" in agent.toml needs it: install it, or take that line out"));
  }
  BERTH_RETURN_IF_ERROR(spawned.status());
  const pid_t pid = *spawned;
  ends.second.reset();
  const std::string body = start.SerializeAsString();
  const absl::Status written =
      WriteInTime(ends.first.get(), LengthPrefix(body.size()) + body, deadline);
  shutdown(ends.first.get(), SHUT_WR);
  // Who refuses may have said so without reading that.
  const absl::StatusOr<holder::v1::HolderStarted> started =
      absl::IsDeadlineExceeded(written)
          ? absl::StatusOr<holder::v1::HolderStarted>(written)
          : ReadAnswer(ends.first.get(), deadline);
  if (started.ok()) return started;
  EndStarted(pid, started.status(), login.has_value());
  if (login.has_value()) return ExplainLogin(started.status(), *login);
  if (!absl::IsUnavailable(started.status())) return started;
  return absl::FailedPreconditionError(started.status().message());
}

}  // namespace berth::agent
