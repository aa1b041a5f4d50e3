#ifndef BERTH_AGENT_SESSIONS_SESSION_TABLE_H_
#define BERTH_AGENT_SESSIONS_SESSION_TABLE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/sessions/managed_session.h"
#include "base/mutex.h"

namespace berth::agent {

// SessionTable knows the sessions of this computer by instance id.
// Thread-safe.
class SessionTable {
 public:
  using Session = std::shared_ptr<ManagedSession>;

  // What a session that is to be made counts as.
  struct Place {
    std::string instance_id;
    std::string configuration;
    std::string owner;
  };
  // How many may live: on the computer, of the configuration, and of that for
  // one owner.
  struct Limits {
    std::string computer;
    uint64_t all = 0;
    std::optional<uint64_t> of_configuration;
    std::optional<uint64_t> of_owner;
  };

  // Keeps a place for a session that is being made. ALREADY_EXISTS: there is
  // one of this id, or it is being made. RESOURCE_EXHAUSTED: a limit; says
  // which, whose, and what to do.
  absl::Status Reserve(const Place& place, const Limits& limits)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Gives the place up again, or fills it.
  void Release(absl::string_view instance_id) ABSL_LOCKS_EXCLUDED(mu_);
  void Add(Session session) ABSL_LOCKS_EXCLUDED(mu_);

  // Null if there is none.
  Session Find(absl::string_view instance_id) const ABSL_LOCKS_EXCLUDED(mu_);

  // The session, if it belongs to `user`. NOT_FOUND: no such session, or
  // somebody else's.
  absl::StatusOr<Session> FindOwned(absl::string_view user,
                                    absl::string_view instance_id) const
      ABSL_LOCKS_EXCLUDED(mu_);

  void Remove(absl::string_view instance_id) ABSL_LOCKS_EXCLUDED(mu_);

  std::vector<Session> All() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable Mutex mu_;
  // `session` is null while it is being made.
  struct Entry {
    Place place;
    Session session;
  };
  absl::Status CheckLimitsLocked(const Place& place, const Limits& limits) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::flat_hash_map<std::string, Entry> sessions_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_SESSION_TABLE_H_
