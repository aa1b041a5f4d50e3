#include "agent/sessions/scoped_credentials.h"

#include <grp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files.h"

namespace berth::agent {
namespace {

// The system's own calls are of one thread; those of the library are of all.
bool SetGroups(const std::vector<gid_t>& groups) {
  return syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

bool SetGroup(gid_t group) {
  return syscall(SYS_setresgid, -1, group, -1) == 0;
}

bool SetUser(uid_t user) { return syscall(SYS_setresuid, -1, user, -1) == 0; }

}  // namespace

absl::StatusOr<std::unique_ptr<ScopedCredentials>> ScopedCredentials::Take(
    const Account& account) {
  if (account.user == geteuid()) {
    return std::unique_ptr<ScopedCredentials>();
  }
  if (geteuid() != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "only an agent run by root can act as account '", account.name, "'"));
  }
  std::vector<gid_t> own(getgroups(0, nullptr));
  const int count = getgroups(static_cast<int>(own.size()), own.data());
  if (count < 0) return ErrnoToStatus(errno, "getgroups");
  own.resize(count);
  std::unique_ptr<ScopedCredentials> taken(
      new ScopedCredentials(account, std::move(own)));
  if (taken->Become()) return taken;
  return ErrnoToStatus(errno, absl::StrCat("acting as ", account.name));
}

ScopedCredentials::ScopedCredentials(const Account& account,
                                     std::vector<gid_t> own_groups)
    : user_(account.user),
      group_(account.group),
      groups_(account.groups),
      own_group_(getegid()),
      own_groups_(std::move(own_groups)) {}

ScopedCredentials::~ScopedCredentials() { Return(); }

bool ScopedCredentials::Become() {
  return SetGroups(groups_) && SetGroup(group_) && SetUser(user_);
}

// A thread that went on as somebody else would be worse than none.
void ScopedCredentials::Return() {
  if (!SetUser(0) || !SetGroup(own_group_) || !SetGroups(own_groups_)) abort();
}

ScopedCredentials::Suspended::Suspended(ScopedCredentials* credentials)
    : credentials_(credentials) {
  if (credentials_ != nullptr) credentials_->Return();
}

ScopedCredentials::Suspended::~Suspended() {
  if (credentials_ != nullptr && !credentials_->Become()) abort();
}

}  // namespace berth::agent
