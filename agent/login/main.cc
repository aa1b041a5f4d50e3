// berth-login SERVICE USER HOLDER: starts a holder within a PAM session of the
// user, and closes that when the holder has ended. Started by an agent in the
// holder's place, and lives as long as that; if it is killed, the session goes
// on, and only stays open for PAM. It has no rights but its caller's.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/holder/frame.h"
#include "agent/login/login_rights.h"
#include "agent/login/pam_session.h"
#include "agent/login/process_rights.h"
#include "agent/login/step_limit.h"
#include "base/files.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::agent {
namespace {

// The agent said that it gave up on a holder that does not start.
volatile sig_atomic_t given_up = 0;

void OnSignal(int signal) {
  if (signal != SIGUSR1) return;
  given_up = 1;
  StepLimit::Hurry();
}

// What the agent gave as standard input and output, for the holder. In places
// where modules, and what they start, neither write to it nor keep it open.
struct Channel {
  UniqueFd in;
  UniqueFd out;
};

absl::StatusOr<Channel> TakeChannel() {
  Channel channel;
  channel.in.reset(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  channel.out.reset(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!channel.in.valid() || !channel.out.valid() || !null.valid() ||
      dup2(null.get(), STDIN_FILENO) < 0 ||
      dup2(null.get(), STDOUT_FILENO) < 0) {
    return ErrnoToStatus(errno, "berth-login's standard input and output");
  }
  return channel;
}

// As a holder says that it can't.
int Fail(int out, const absl::Status& status) {
  holder::v1::HolderStarted started;
  started.set_error(std::string(status.message()));
  holder::WriteFrame(out, started).IgnoreError();
  return 1;
}

// What ends others is not for it: it ends with the holder, which is told by
// itself. Handlers, since what modules start gets its signals as ever. Modules
// may leave others.
void HandleSignals() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  for (const int each : {SIGUSR1, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGPIPE}) {
    sigaction(each, &action, nullptr);
  }
  action.sa_handler = SIG_DFL;
  sigaction(SIGCHLD, &action, nullptr);
}

// Those by which WaitForHolder() is told.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigaddset(&signals, SIGUSR1);
  sigprocmask(SIG_SETMASK, &signals, nullptr);
  return signals;
}

[[noreturn]] void BecomeHolder(const char* program, const Channel& channel,
                               const std::vector<std::string>& environment,
                               const ProcessRights& own) {
  std::vector<char*> pointers;
  for (const std::string& entry : environment) {
    pointers.push_back(const_cast<char*>(entry.c_str()));
  }
  pointers.push_back(nullptr);
  // A group by which it can be killed with what it has started.
  setsid();
  own.Restore();
  dup2(channel.in.get(), STDIN_FILENO);
  dup2(channel.out.get(), STDOUT_FILENO);
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  char name[] = "berth-holder";
  char* argv[] = {name, nullptr};
  execve(program, argv, pointers.data());
  const absl::Status failed =
      ErrnoToStatus(errno, absl::StrCat("start ", program));
  _exit(Fail(STDOUT_FILENO, failed));
}

void WaitForHolder(pid_t holder, const sigset_t& signals) {
  for (;;) {
    if (given_up) {
      // It leads no group before it has said so.
      kill(-holder, SIGKILL);
      kill(holder, SIGKILL);
    }
    const pid_t ended = waitpid(holder, nullptr, WNOHANG);
    if (ended == holder || (ended < 0 && errno == ECHILD)) return;
    if (sigwaitinfo(&signals, nullptr) == SIGUSR1) given_up = 1;
  }
}

std::vector<std::string> EnvironmentOf(const LoginRights& rights) {
  std::vector<std::string> environment = rights.ToEnvironment();
  // Nothing but what tests ask of it.
  if (const char* points = getenv("BERTH_PAUSE_POINTS")) {
    environment.push_back(absl::StrCat("BERTH_PAUSE_POINTS=", points));
  }
  return environment;
}

// Starts the holder and waits for its end; or answers in its place.
void Hold(const PamSession& session, const ProcessRights& own, Channel channel,
          const char* program) {
  LoginRights rights = own.Changes();
  rights.variables = session.Environment();
  const std::vector<std::string> environment = EnvironmentOf(rights);
  HandleSignals();
  const sigset_t signals = BlockSignals();
  if (given_up) return;
  const pid_t holder = fork();
  if (holder == 0) BecomeHolder(program, channel, environment, own);
  if (holder < 0) {
    Fail(channel.out.get(), ErrnoToStatus(errno, "fork"));
    return;
  }
  // The agent sees the end of the holder by its end of it.
  channel = Channel();
  WaitForHolder(holder, signals);
}

int Main(const char* service, const char* user, const char* program) {
  syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
  absl::StatusOr<Channel> channel = TakeChannel();
  if (!channel.ok()) return Fail(STDOUT_FILENO, channel.status());
  const int out = channel->out.get();
  if (geteuid() != 0 || getuid() != geteuid()) {
    return Fail(out, absl::PermissionDeniedError(absl::StrCat(
                         "only an agent run by root can open PAM sessions: "
                         "take pam = \"",
                         service, "\" out of agent.toml")));
  }
  HandleSignals();
  if (chdir("/") != 0) return Fail(out, ErrnoToStatus(errno, "/"));
  const ProcessRights own;
  // As the system's own programs have it; a module may say otherwise.
  umask(022);
  std::optional<StepLimit> limit(std::in_place);
  auto session = PamSession::Open(service, user);
  limit.reset();
  if (!session.ok()) return Fail(out, session.status());
  Hold(**session, own, *std::move(channel), program);
  // Closing it waits for what modules start, so it gets its signals again; but
  // the agent has nothing more to say.
  limit.emplace();
  signal(SIGUSR1, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  session->reset();
  return 0;
}

}  // namespace
}  // namespace berth::agent

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr,
            "usage: berth-login SERVICE USER HOLDER (by berth-agent)\n");
    return 2;
  }
  return berth::agent::Main(argv[1], argv[2], argv[3]);
}
