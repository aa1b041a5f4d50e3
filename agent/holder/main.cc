// berth-holder: the process that owns one session's terminal, shell and logs.
// Started by an agent, which says on its standard input what to hold, and is
// answered on its standard output; both are closed then, and the holder lives
// as long as its session.

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/holder/event_loop.h"
#include "agent/holder/frame.h"
#include "agent/holder/identity_file.h"
#include "agent/holder/rights.h"
#include "agent/holder/session.h"
#include "agent/shell/zsh/descriptor_porter.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::holder {
namespace {

constexpr uint32_t kVersion = 2;
// Of starts that a holder must know all about; see HolderStart.
constexpr uint32_t kNewestStart = 4;
constexpr uint32_t kOldestVersion = 1;
// EndReason of berth.v1: the session ends because its holder has to.
constexpr uint32_t kHolderLost = 4;

absl::Status CheckStart(const v1::HolderStart& start) {
  if (start.version() < kOldestVersion || start.version() > kNewestStart) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the agent speaks version ", start.version(),
        " of the holder's protocol, and this berth-holder only versions ",
        kOldestVersion, " to ", kVersion,
        ": install the berth-holder that came with the agent"));
  }
  std::vector<std::string> paths = {start.directory()};
  if (start.kind() != v1::HolderStart::RESTRICTED) {
    paths.push_back(start.shell());
  }
  for (const std::string& path : paths) {
    if (path.empty() || path[0] != '/') {
      return absl::InvalidArgumentError(
          absl::StrCat("'", path, "' is not an absolute path"));
    }
  }
  return absl::OkStatus();
}

// Out of reach of whatever ends the agent: a terminal it has, its process
// group. Children that lose their parent become the holder's, to be found when
// the session ends.
void Detach() {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  umask(077);
  for (int signal : {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN,
                     SIGTTOU, SIGUSR1, SIGUSR2}) {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(signal, &ignore, nullptr);
  }
  if (chdir("/") != 0) return;
}

// The agent may go away; writing to what it left must not matter.
void CloseStandardStreams() {
  UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd : {0, 1}) dup2(null.get(), fd);
}

// A holder is idle for nearly all of its life.
void KeepMemorySmall() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 64 << 10);
  mallopt(M_MMAP_THRESHOLD, 64 << 10);
}

absl::StatusOr<UniqueFd> OpenSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return ErrnoToStatus(errno, "signalfd");
  return fd;
}

void HandleSignals(int fd, Session& session) {
  signalfd_siginfo info;
  while (read(fd, &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGTERM) {
      session.End(kHolderLost, "its holder was asked to end by SIGTERM");
    }
  }
  session.Reap();
}

void Answer(const absl::Status& status, pid_t shell_pid) {
  v1::HolderStarted started;
  started.set_version(kVersion);
  started.set_error(std::string(status.message()));
  if (status.ok()) started.set_shell_pid(static_cast<uint32_t>(shell_pid));
  started.set_holder_pid(static_cast<uint32_t>(getpid()));
  WriteFrame(1, started).IgnoreError();  // An agent that is gone comes back.
  CloseStandardStreams();
}

// Becomes who it is meant to be, and finds the directory as that.
absl::StatusOr<UniqueFd> TakeRights(v1::HolderStart& start) {
  if (!start.has_run_as()) return UniqueFd();
  BERTH_ASSIGN_OR_RETURN(UniqueFd directory,
                         TakeDirectory(start.directory(), start.run_as()));
  BERTH_RETURN_IF_ERROR(BecomeHolder(start.run_as()));
  start.set_directory(PathOf(directory));
  return directory;
}

absl::Status Hold(v1::HolderStart start) {
  BERTH_RETURN_IF_ERROR(CheckStart(start));
  BERTH_ASSIGN_OR_RETURN(const UniqueFd directory, TakeRights(start));
  BERTH_ASSIGN_OR_RETURN(std::unique_ptr<EventLoop> loop, EventLoop::Create());
  BERTH_ASSIGN_OR_RETURN(UniqueFd signals, OpenSignals());
  BERTH_ASSIGN_OR_RETURN(HolderIdentity identity, OwnIdentity());
  identity.version = kVersion;
  BERTH_RETURN_IF_ERROR(
      WriteIdentityFile(start.directory() + "/holder", identity));
  pid_t shell_pid = 0;
  BERTH_ASSIGN_OR_RETURN(
      std::unique_ptr<Session> session,
      Session::Create(*loop, start, [&shell_pid](const absl::Status& status) {
        Answer(status, shell_pid);
      }));
  shell_pid = session->shell_pid();
  BERTH_RETURN_IF_ERROR(loop->Watch(signals.get(), EPOLLIN, [&](uint32_t) {
    HandleSignals(signals.get(), *session);
  }));
  loop->Run();
  return absl::OkStatus();
}

int Main() {
  KeepMemorySmall();
  v1::HolderStart start;
  absl::Status status = ReadFrame(0, start);
  Detach();
  if (status.ok()) status = Hold(start);
  if (status.ok()) return 0;
  Answer(status, 0);
  return 1;
}

}  // namespace
}  // namespace berth::holder

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == absl::string_view(
                                  berth::shell::DescriptorPorter::kArgument)) {
    return berth::shell::CarryDescriptors();
  }
  return berth::holder::Main();
}
