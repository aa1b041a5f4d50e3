#ifndef BERTH_AGENT_SESSIONS_SCOPED_CREDENTIALS_H_
#define BERTH_AGENT_SESSIONS_SCOPED_CREDENTIALS_H_

#include <sys/types.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/sessions/run_as.h"

namespace berth::agent {

// As long as it lives, what this thread does with files it does with the rights
// of an account: the kernel decides, and nobody has to imitate that. To be
// destroyed by the thread that made it. Meanwhile the thread must make no other
// thread, which would be of that account for ever: see Suspended.
class ScopedCredentials {
 public:
  // Null if that is who we are anyway. FAILED_PRECONDITION: not run by root.
  static absl::StatusOr<std::unique_ptr<ScopedCredentials>> Take(
      const Account& account);
  ~ScopedCredentials();
  ScopedCredentials(const ScopedCredentials&) = delete;
  ScopedCredentials& operator=(const ScopedCredentials&) = delete;

  // As long as it lives, the thread is itself again. `credentials` may be null.
  class Suspended {
   public:
    explicit Suspended(ScopedCredentials* credentials);
    ~Suspended();
    Suspended(const Suspended&) = delete;
    Suspended& operator=(const Suspended&) = delete;

   private:
    ScopedCredentials* const credentials_;
  };

 private:
  ScopedCredentials(const Account& account, std::vector<gid_t> own_groups);
  bool Become();
  void Return();

  const uid_t user_;
  const gid_t group_;
  const std::vector<gid_t> groups_;
  const gid_t own_group_;
  const std::vector<gid_t> own_groups_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_SCOPED_CREDENTIALS_H_
