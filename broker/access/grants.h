#ifndef BERTH_BROKER_ACCESS_GRANTS_H_
#define BERTH_BROKER_ACCESS_GRANTS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "broker/access/viewer.h"
#include "broker/policy/verb.h"
#include "broker/registry/registry.h"

namespace berth::broker {

// Grants are the streams that are open because a role lets their users do
// something with sessions of others: when the policy changes or an approval
// ends, those that may not go on are ended. Thread-safe.
class Grants {
 public:
  using Id = uint64_t;
  struct Grant {
    std::string user;
    SessionRecord session;
    std::vector<Verb> verbs;
    // Ends the stream. Must not block; runs at most once, without locks held.
    std::function<void(const absl::Status&)> end;
  };

  Id Add(Grant grant) ABSL_LOCKS_EXCLUDED(mu_);
  void Remove(Id id) ABSL_LOCKS_EXCLUDED(mu_);

  // Ends those that are not granted any more. `viewer_for`: how a user sees the
  // fleet now.
  void Recheck(const std::function<Viewer(const std::string&)>& viewer_for)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Mutex mu_;
  Id last_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<Id, Grant> grants_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ACCESS_GRANTS_H_
