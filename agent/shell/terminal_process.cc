#include "agent/shell/terminal_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace berth::shell {
namespace {

constexpr int kFirstInherited = 3;
constexpr size_t kMaxInherited = 4;
// Above all places that descriptors are put in, so that putting one there can't
// overwrite another.
constexpr int kParking = 16;

struct Prepared {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* cwd;
  const rlimit* open_files;  // Null: as it is.
  int slave;
  int inherited[kMaxInherited];
  int inherited_count;
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& s : strings) {
    pointers.push_back(const_cast<char*>(s.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

void ResetSignals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child, which shares its memory with the parent: system calls only.
// Returns the errno of what failed.
int BecomeProgram(const Prepared& p) {
  if (setsid() < 0) return errno;
  if (ioctl(p.slave, TIOCSCTTY, 0) < 0) return errno;
  for (int fd = 0; fd < 3; ++fd) {
    if (dup2(p.slave, fd) < 0) return errno;
  }
  for (int i = 0; i < p.inherited_count; ++i) {
    if (dup2(p.inherited[i], kFirstInherited + i) < 0) return errno;
  }
  syscall(SYS_close_range, kFirstInherited + p.inherited_count, ~0U, 0);
  ResetSignals();
  if (p.open_files != nullptr) setrlimit(RLIMIT_NOFILE, p.open_files);
  if (chdir(p.cwd) != 0 && chdir("/") != 0) return errno;
  execve(p.program, p.argv, p.envp);
  return errno;
}

// vfork(), because copying even a small process's tables takes longer than all
// the rest; the child can also simply write its error here.
pid_t Spawn(const Prepared& prepared, volatile int& error) {
  // Signals wait until the program has its own handlers.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  pid_t pid = vfork();
  if (pid == 0) {
    error = BecomeProgram(prepared);
    _exit(127);
  }
  if (pid < 0) error = errno;
  sigprocmask(SIG_SETMASK, &old, nullptr);
  return pid;
}

absl::StatusOr<UniqueFd> Park(int fd) {
  UniqueFd parked(fcntl(fd, F_DUPFD_CLOEXEC, kParking));
  if (!parked.valid()) return ErrnoToStatus(errno, "duplicating a descriptor");
  return parked;
}

struct Terminal {
  UniqueFd master;
  UniqueFd slave;
};

absl::StatusOr<Terminal> OpenTerminal(uint16_t rows, uint16_t columns) {
  Terminal terminal;
  terminal.master.reset(
      posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!terminal.master.valid() || unlockpt(terminal.master.get()) != 0) {
    return ErrnoToStatus(errno, "opening a terminal");
  }
  // By descriptor rather than by name: /dev/pts may be another's in a
  // container.
  UniqueFd slave(
      ioctl(terminal.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave.valid()) return ErrnoToStatus(errno, "opening a terminal");
  absl::StatusOr<UniqueFd> parked = Park(slave.get());
  if (!parked.ok()) return parked.status();
  terminal.slave = *std::move(parked);
  winsize size = {rows, columns, 0, 0};
  ioctl(terminal.master.get(), TIOCSWINSZ, &size);
  return terminal;
}

}  // namespace

absl::StatusOr<TerminalProcess> StartOnTerminal(
    const TerminalProcessOptions& options) {
  if (options.inherited.size() > kMaxInherited) {
    return absl::InvalidArgumentError("too many descriptors to inherit");
  }
  absl::StatusOr<Terminal> terminal =
      OpenTerminal(options.rows, options.columns);
  if (!terminal.ok()) return terminal.status();
  std::vector<std::string> arguments = options.arguments;
  arguments.insert(arguments.begin(), options.program);
  std::vector<char*> argv = Pointers(arguments);
  std::vector<char*> envp = Pointers(options.environment);
  Prepared prepared = {};
  prepared.program = options.program.c_str();
  prepared.argv = argv.data();
  prepared.envp = envp.data();
  prepared.cwd = options.cwd.empty() ? "/" : options.cwd.c_str();
  prepared.slave = terminal->slave.get();
  rlimit limit;
  if (options.open_files && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = *options.open_files;
    prepared.open_files = &limit;
  }
  std::vector<UniqueFd> parked;
  for (int fd : options.inherited) {
    absl::StatusOr<UniqueFd> copy = Park(fd);
    if (!copy.ok()) return copy.status();
    prepared.inherited[prepared.inherited_count++] = copy->get();
    parked.push_back(*std::move(copy));
  }
  volatile int error = 0;
  TerminalProcess process;
  process.pid = Spawn(prepared, error);
  if (error != 0) {
    if (process.pid > 0) waitpid(process.pid, nullptr, 0);
    return ErrnoToStatus(
        error, absl::StrCat("can't execute the shell '", options.program, "'"));
  }
  process.terminal = std::move(terminal->master);
  return process;
}

}  // namespace berth::shell
