#ifndef BERTH_AGENT_LOGIN_PROCESS_RIGHTS_H_
#define BERTH_AGENT_LOGIN_PROCESS_RIGHTS_H_

#include <sys/resource.h>

#include <array>

#include "agent/login/login_rights.h"

namespace berth::agent {

// What of this process a login session may change that its children inherit,
// as it was when this was made. One thread.
class ProcessRights {
 public:
  ProcessRights();

  // What has become of it since.
  LoginRights Changes() const;

  // Makes it again what it was; as far as that is allowed.
  void Restore() const;

 private:
  std::array<rlimit, RLIM_NLIMITS> limits_ = {};
  int priority_ = 0;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOGIN_PROCESS_RIGHTS_H_
