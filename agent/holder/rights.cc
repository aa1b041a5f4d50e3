#include "agent/holder/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

// Sets what is effective and permitted to those of `capabilities` that there
// are: containers withhold some. Nothing is inherited by programs.
absl::Status SetCapabilities(std::initializer_list<int> capabilities) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, had) != 0) {
    return ErrnoToStatus(errno, "capget");
  }
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  for (const int capability : capabilities) {
    __user_cap_data_struct& set = sets[CAP_TO_INDEX(capability)];
    set.permitted |=
        CAP_TO_MASK(capability) & had[CAP_TO_INDEX(capability)].permitted;
    set.effective = set.permitted;
  }
  if (syscall(SYS_capset, &header, sets) == 0) return absl::OkStatus();
  return ErrnoToStatus(errno, "the holder can't give up its rights");
}

}  // namespace

absl::StatusOr<UniqueFd> TakeDirectory(const std::string& directory,
                                       const v1::RunAs& run_as) {
  UniqueFd fd(
      open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return ErrnoToStatus(errno, directory);
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return ErrnoToStatus(errno, directory);
  if (info.st_uid != 0 || (info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " must be owned by root, with mode 0700"));
  }
  if (fchown(fd.get(), run_as.holder_user(), run_as.holder_group()) != 0) {
    return ErrnoToStatus(errno, directory);
  }
  return fd;
}

std::string PathOf(const UniqueFd& directory) {
  // The dot: the descriptor's own entry is a link, which is not followed.
  return absl::StrCat("/proc/self/fd/", directory.get(), "/.");
}

absl::Status BecomeHolder(const v1::RunAs& run_as) {
  const uid_t user = run_as.holder_user();
  const gid_t group = run_as.holder_group();
  if (geteuid() != 0) {
    return absl::FailedPreconditionError(
        "only an agent run by root can start sessions as other users");
  }
  if (user == 0 || user == run_as.user()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the holder's user ", user, " must be neither root nor the session's"));
  }
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(0, nullptr) != 0 ||
      setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0) {
    return ErrnoToStatus(errno, absl::StrCat("becoming user ", user));
  }
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  // Neither traced nor dumped, also not by another holder.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return SetCapabilities({CAP_KILL, CAP_SETUID, CAP_SETGID, CAP_CHOWN,
                          CAP_DAC_OVERRIDE, CAP_SYS_RESOURCE});
}

absl::Status KeepToSignals(bool starts_programs) {
  // What it might be made to execute gains none, either.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return ErrnoToStatus(errno, "no_new_privs");
  }
  if (starts_programs) {
    return SetCapabilities({CAP_KILL, CAP_SETUID, CAP_SETGID});
  }
  return SetCapabilities({CAP_KILL});
}

void LeaveNoCore() {
  rlimit limit;
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = 0;
  setrlimit(RLIMIT_CORE, &limit);
}

}  // namespace berth::holder
