#ifndef BERTH_AGENT_LOGIN_LOGIN_RIGHTS_H_
#define BERTH_AGENT_LOGIN_LOGIN_RIGHTS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace berth::agent {

// What a login session gives to the shell in it. The holder between them has
// none of it: a limit of how large files may be would end the session's log.
// So berth-login tells the holder by its environment, under names that no
// library looks at, as some values are the user's.
struct LoginRights {
  struct Limit {
    uint32_t resource = 0;  // RLIMIT_…
    uint64_t soft = 0;
    uint64_t hard = 0;
  };

  mode_t umask = 022;
  std::vector<Limit> limits;           // Only those that it changed.
  std::vector<std::string> variables;  // "NAME=value".

  std::vector<std::string> ToEnvironment() const;
  // `environment` ends with a null pointer. FAILED_PRECONDITION: it is not of
  // a process that berth-login started.
  static absl::StatusOr<LoginRights> FromEnvironment(
      const char* const* environment);
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOGIN_LOGIN_RIGHTS_H_
