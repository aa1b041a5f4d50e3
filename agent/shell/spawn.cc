#include "agent/shell/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace berth::shell {
namespace {

constexpr int kFirstInherited = 3;
constexpr size_t kMaxInherited = 4;
// Above all places that descriptors are put in, so that putting one there can't
// overwrite another.
constexpr int kParking = 16;

enum class Step { kBegin, kCgroup, kLimit, kCredentials, kExecute };

// What went wrong, written by the child into the parent's memory.
struct Failure {
  int error = 0;
  Step step = Step::kBegin;
  size_t limit = 0;  // Which, in kLimit.
};

// All that the child needs, made before there is a child.
struct Prepared {
  const char* program = nullptr;
  char* const* argv = nullptr;
  char* const* envp = nullptr;
  const char* cwd = "/";
  int cwd_fd = -1;
  int cgroup_procs = -1;  // Not open: it stays where it is.
  const Credentials* credentials = nullptr;
  bool no_new_privileges = false;
  const mode_t* umask = nullptr;  // Null: as it is.
  const rlimit* open_files = nullptr;  // Null: as it is.
  const ResourceLimit* limits = nullptr;
  size_t limit_count = 0;
  Leads leads = Leads::kProcessGroup;
  int fds[kFirstInherited + kMaxInherited] = {};  // From 0 on.
  int fd_count = 0;
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

// Moves the child itself. Returns an errno, as those below do.
int EnterCgroup(int procs) { return write(procs, "0", 1) == 1 ? 0 : errno; }

// Becomes the user, with nothing left to become another. The system's own
// calls, since those of the library would also change the parent, whose memory
// this is.
int TakeCredentials(const Credentials& who) {
  if (syscall(SYS_setgroups, who.groups.size(), who.groups.data()) != 0 ||
      syscall(SYS_setresgid, who.group, who.group, who.group) != 0 ||
      syscall(SYS_setresuid, who.user, who.user, who.user) != 0) {
    return errno;
  }
  if (who.user == 0) return 0;
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capset, &header, none) != 0) return errno;
  uid_t real, effective, saved;
  if (syscall(SYS_getresuid, &real, &effective, &saved) != 0) return errno;
  if (real != who.user || effective != who.user || saved != who.user ||
      syscall(SYS_setresuid, -1, 0, -1) == 0 ||
      syscall(SYS_setresgid, -1, who.group + 1, -1) == 0) {
    return EPERM;
  }
  return 0;
}

int TakeLimits(const Prepared& p, volatile Failure& failure) {
  for (size_t i = 0; i < p.limit_count; ++i) {
    failure.limit = i;
    const ResourceLimit& wanted = p.limits[i];
    const rlimit limit = {wanted.limit, wanted.hard.value_or(wanted.limit)};
    if (syscall(SYS_prlimit64, 0, p.limits[i].resource, &limit, nullptr) != 0) {
      return errno;
    }
  }
  return 0;
}

int LeadAndPlace(const Prepared& p) {
  if (p.leads == Leads::kProcessGroup) {
    if (setpgid(0, 0) < 0) return errno;
  } else {
    if (setsid() < 0) return errno;
    if (ioctl(p.fds[0], TIOCSCTTY, 0) < 0) return errno;
  }
  for (int fd = 0; fd < p.fd_count; ++fd) {
    if (dup2(p.fds[fd], fd) < 0) return errno;
  }
  return 0;
}

int EnterDirectory(const Prepared& p) {
  if (p.cwd_fd >= 0) return fchdir(p.cwd_fd) == 0 ? 0 : errno;
  return chdir(p.cwd) == 0 || chdir("/") == 0 ? 0 : errno;
}

// In the child, which shares its memory with the parent: system calls only.
int BecomeProgram(const Prepared& p, volatile Failure& failure) {
  if (int error = LeadAndPlace(p)) return error;
  ResetSignals();
  failure.step = Step::kCgroup;
  if (p.cgroup_procs >= 0) {
    if (int error = EnterCgroup(p.cgroup_procs)) return error;
  }
  failure.step = Step::kLimit;
  if (p.open_files != nullptr) setrlimit(RLIMIT_NOFILE, p.open_files);
  if (int error = TakeLimits(p, failure)) return error;
  failure.step = Step::kCredentials;
  if (p.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return errno;
  }
  if (p.credentials != nullptr) {
    if (int error = TakeCredentials(*p.credentials)) return error;
  }
  failure.step = Step::kExecute;
  if (int error = EnterDirectory(p)) return error;
  if (p.umask != nullptr) umask(*p.umask);
  syscall(SYS_close_range, p.fd_count, ~0U, 0);
  execve(p.program, p.argv, p.envp);
  return errno;
}

// vfork(), because copying even a small process's tables takes longer than all
// the rest; the child can also simply write its error here.
pid_t Fork(const Prepared& prepared, volatile Failure& failure) {
  // Signals wait until the program has its own handlers.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  pid_t pid = vfork();
  if (pid == 0) {
    failure.error = BecomeProgram(prepared, failure);
    _exit(127);
  }
  if (pid < 0) failure.error = errno;
  sigprocmask(SIG_SETMASK, &old, nullptr);
  return pid;
}

absl::StatusOr<UniqueFd> Park(int fd) {
  UniqueFd parked(fcntl(fd, F_DUPFD_CLOEXEC, kParking));
  if (!parked.valid()) return ErrnoToStatus(errno, "duplicating a descriptor");
  return parked;
}

absl::Status CheckLimits(const SpawnOptions& options) {
  for (const ResourceLimit& limit : options.limits) {
    if (limit.resource < RLIM_NLIMITS) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("there is no resource limit number ", limit.resource,
                     "; setrlimit(2) knows 0 to ", RLIM_NLIMITS - 1));
  }
  return absl::OkStatus();
}

absl::Status CgroupError(int error, const SpawnOptions& options) {
  return ErrnoToStatus(
      error, absl::StrCat("can't move '", options.program, "' to the cgroup '",
                          options.cgroup, "'"));
}

absl::Status Explain(const Failure& failure, const SpawnOptions& options) {
  switch (failure.step) {
    case Step::kCgroup:
      return CgroupError(failure.error, options);
    case Step::kLimit:
      return ErrnoToStatus(failure.error,
                           absl::StrCat("can't set the resource limit number ",
                                        options.limits[failure.limit].resource,
                                        " of '", options.program, "' to ",
                                        options.limits[failure.limit].limit));
    case Step::kCredentials:
      return ErrnoToStatus(
          failure.error,
          absl::StrCat(
              "can't run '", options.program, "' as user ",
              options.credentials ? options.credentials->user : geteuid()));
    case Step::kBegin:
    case Step::kExecute:
      break;
  }
  return ErrnoToStatus(failure.error,
                       absl::StrCat("can't execute '", options.program, "'"));
}

}  // namespace

absl::StatusOr<UniqueFd> OpenCgroup(const SpawnOptions& options) {
  UniqueFd procs(open(absl::StrCat(options.cgroup, "/cgroup.procs").c_str(),
                      O_WRONLY | O_CLOEXEC));
  if (!procs.valid()) return CgroupError(errno, options);
  return procs;
}

absl::StatusOr<pid_t> Spawn(const SpawnOptions& options, const Streams& streams,
                            Leads leads) {
  if (options.inherited.size() > kMaxInherited) {
    return absl::InvalidArgumentError("too many descriptors to inherit");
  }
  BERTH_RETURN_IF_ERROR(CheckLimits(options));
  std::vector<std::string> arguments = options.arguments;
  arguments.insert(arguments.begin(),
                   options.name.empty() ? options.program : options.name);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(options.environment);
  UniqueFd cgroup_procs;
  Prepared prepared;
  prepared.cgroup_procs = options.cgroup_procs_fd;
  if (prepared.cgroup_procs < 0 && !options.cgroup.empty()) {
    BERTH_ASSIGN_OR_RETURN(cgroup_procs, OpenCgroup(options));
    prepared.cgroup_procs = cgroup_procs.get();
  }
  prepared.cwd_fd = options.cwd_fd;
  prepared.no_new_privileges = options.no_new_privileges;
  if (options.umask) prepared.umask = &*options.umask;
  if (options.credentials) prepared.credentials = &*options.credentials;
  prepared.program = options.program.c_str();
  prepared.argv = argv.data();
  prepared.envp = envp.data();
  if (!options.cwd.empty()) prepared.cwd = options.cwd.c_str();
  prepared.limits = options.limits.data();
  prepared.limit_count = options.limits.size();
  prepared.leads = leads;
  rlimit limit;
  if (options.open_files && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = *options.open_files;
    prepared.open_files = &limit;
  }
  std::vector<int> fds = {streams.in, streams.out, streams.err};
  fds.insert(fds.end(), options.inherited.begin(), options.inherited.end());
  std::vector<UniqueFd> parked;
  for (int fd : fds) {
    BERTH_ASSIGN_OR_RETURN(UniqueFd copy, Park(fd));
    prepared.fds[prepared.fd_count++] = copy.get();
    parked.push_back(std::move(copy));
  }
  Failure failure;
  const pid_t pid = Fork(prepared, failure);
  if (failure.error == 0) return pid;
  if (pid > 0) waitpid(pid, nullptr, 0);
  return Explain(failure, options);
}

}  // namespace berth::shell
