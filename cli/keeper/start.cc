#include "cli/keeper/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "base/tls/credentials.h"
#include "base/unique_fd.h"
#include "cli/config/paths.h"
#include "cli/keeper/build_id.h"
#include "cli/keeper/server.h"
#include "cli/keeper/socket.h"
#include "cli/render/duration.h"
#include "spdlog/spdlog.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kDefaultIdle = absl::Minutes(10);
constexpr int kReadyTimeoutMs = 5000;
constexpr off_t kMaxLog = 1 << 20;

absl::Duration IdleTime(const Environment& environment) {
  const absl::string_view text = environment.Get("BERTH_KEEPER_IDLE");
  if (text.empty()) return kDefaultIdle;
  return ReadDuration(text).value_or(kDefaultIdle);
}

// Nothing of the process it came from: neither terminal nor files.
void Detach(const std::string& log_path, int keep_a, int keep_b) {
  setsid();
  umask(077);
  (void)!chdir("/");
  struct stat info;
  const bool full =
      stat(log_path.c_str(), &info) == 0 && info.st_size > kMaxLog;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const int log = open(log_path.c_str(),
                       O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC |
                           (full ? O_TRUNC : 0),
                       0600);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(log >= 0 ? log : null, STDERR_FILENO);
  const int low = std::min(keep_a, keep_b);
  const int high = std::max(keep_a, keep_b);
  close_range(3, low - 1, 0);
  if (high > low + 1) close_range(low + 1, high - 1, 0);
  close_range(high + 1, ~0U, 0);
  prctl(PR_SET_NAME, "berth-keeper");
}

void SetLimits() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

// The keeper's life. Tells `ready` when it listens.
void Serve(const std::string& directory, UniqueFd place, UniqueFd ready,
           absl::Duration idle) {
  const std::string path = SocketPath(directory);
  unlink(path.c_str());  // Of a keeper that was killed: the place is ours.
  absl::StatusOr<UniqueFd> listener = ListenAt(path);
  if (!listener.ok() || write(ready.get(), "r", 1) != 1) return;
  ready.reset();
  SetLimits();
  InitTls();
  InitForBulk(16 << 20);
  (void)InitLog("berth-keeper", "info");
  SPDLOG_INFO("started");
  KeeperServer server(*std::move(listener), BuildId(), idle, [&] {
    unlink(path.c_str());
    place.reset();
  });
  server.Run();
}

// A lock says who may listen in the directory, for as long as it does.
absl::StatusOr<UniqueFd> TakePlace(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/keeper.lock");
  UniqueFd place(
      open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!place.valid()) return ErrnoToStatus(errno, path);
  if (flock(place.get(), LOCK_EX | LOCK_NB) == 0) return place;
  if (errno != EWOULDBLOCK) return ErrnoToStatus(errno, path);
  return absl::UnavailableError("another keeper holds the place");
}

}  // namespace

std::string SocketPath(const std::string& directory) {
  return absl::StrCat(directory, "/keeper.sock");
}

absl::Status StartKeeper(const std::string& directory,
                         const Environment& environment) {
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory));
  BERTH_ASSIGN_OR_RETURN(const std::string state, StateDirectory(environment));
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(state));
  BERTH_ASSIGN_OR_RETURN(UniqueFd place, TakePlace(directory));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoToStatus(errno, "pipe");
  UniqueFd ready(ends[0]);
  UniqueFd tell(ends[1]);
  const pid_t pid = fork();
  if (pid < 0) return ErrnoToStatus(errno, "fork");
  if (pid == 0) {
    Detach(absl::StrCat(state, "/keeper.log"), place.get(), tell.get());
    Serve(directory, std::move(place), std::move(tell), IdleTime(environment));
    _exit(0);
  }
  tell.reset();
  pollfd readable = {ready.get(), POLLIN, 0};
  char byte;
  if (poll(&readable, 1, kReadyTimeoutMs) == 1 &&
      read(ready.get(), &byte, 1) == 1) {
    return absl::OkStatus();
  }
  return absl::InternalError("the keeper could not listen");
}

}  // namespace berth::cli
