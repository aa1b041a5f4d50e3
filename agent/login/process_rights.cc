#include "agent/login/process_rights.h"

#include <sys/stat.h>

#include <algorithm>

namespace berth::agent {
namespace {

__rlimit_resource_t ResourceOf(size_t number) {
  return static_cast<__rlimit_resource_t>(number);
}

}  // namespace

ProcessRights::ProcessRights() : priority_(getpriority(PRIO_PROCESS, 0)) {
  for (size_t i = 0; i < limits_.size(); ++i) {
    getrlimit(ResourceOf(i), &limits_[i]);
  }
}

LoginRights ProcessRights::Changes() const {
  LoginRights rights;
  // There is no other way to look.
  rights.umask = umask(077);
  umask(rights.umask);
  for (size_t i = 0; i < limits_.size(); ++i) {
    rlimit now;
    if (getrlimit(ResourceOf(i), &now) != 0 ||
        (now.rlim_cur == limits_[i].rlim_cur &&
         now.rlim_max == limits_[i].rlim_max)) {
      continue;
    }
    rights.limits.push_back(
        {static_cast<uint32_t>(i), now.rlim_cur, now.rlim_max});
  }
  return rights;
}

void ProcessRights::Restore() const {
  for (size_t i = 0; i < limits_.size(); ++i) {
    rlimit now;
    if (setrlimit(ResourceOf(i), &limits_[i]) == 0 ||
        getrlimit(ResourceOf(i), &now) != 0) {
      continue;
    }
    // Root of a container may not raise hard limits again.
    now.rlim_cur = std::min(limits_[i].rlim_cur, now.rlim_max);
    setrlimit(ResourceOf(i), &now);
  }
  // Never more than before: a shell is as fast as the module has said, and its
  // holder, which can't be given another priority than it, too.
  if (getpriority(PRIO_PROCESS, 0) < priority_) {
    setpriority(PRIO_PROCESS, 0, priority_);
  }
}

}  // namespace berth::agent
