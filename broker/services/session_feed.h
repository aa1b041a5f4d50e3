#ifndef BERTH_BROKER_SERVICES_SESSION_FEED_H_
#define BERTH_BROKER_SERVICES_SESSION_FEED_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/registry/registry.h"
#include "broker/timer.h"

namespace berth::broker {

// SessionFeed tells watchers which sessions were touched, and wakes them when a
// session comes close to its idle end. Thread-safe; knows nothing of gRPC.
class SessionFeed {
 public:
  // Told with a lock held; must not block, nor call back.
  class Watcher {
   public:
    virtual ~Watcher() = default;
    virtual void Touch(const std::string& instance_id) = 0;
  };

  // What one user may have.
  static constexpr size_t kMaxWatchers = 64;

  explicit SessionFeed(Timer& timer) : timer_(timer) {}
  SessionFeed(const SessionFeed&) = delete;
  SessionFeed& operator=(const SessionFeed&) = delete;

  // From now on `watcher`, which is one of `user`'s, is told of the sessions of
  // `owner`; not set: of all. ResourceExhausted.
  absl::Status Add(const std::string& user, Watcher* watcher,
                   const std::optional<std::string>& owner)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Of their own.
  absl::Status Add(const std::string& user, Watcher* watcher)
      ABSL_LOCKS_EXCLUDED(mu_) {
    return Add(user, watcher, user);
  }
  // No call of `watcher` is under way afterwards. Harmless if it is not there.
  void Remove(const std::string& user, Watcher* watcher)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Sessions changed, came or went.
  void Touch(const std::vector<SessionRecord>& sessions)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Wakes the watchers of `session` when its idle end is kIdleWarning away.
  void Arm(const v1::Session& session) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Alarm {
    absl::Time at;
    Timer::Id timer = 0;
  };

  void ArmLocked(const v1::Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Ring(const std::string& owner, const std::string& instance_id,
            absl::Time at) ABSL_LOCKS_EXCLUDED(mu_);
  void TellLocked(const std::string& owner, const std::string& instance_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Timer& timer_;
  Mutex mu_;
  // By the owner whose sessions they watch.
  absl::flat_hash_map<std::string, std::vector<Watcher*>> watchers_
      ABSL_GUARDED_BY(mu_);
  std::vector<Watcher*> of_all_ ABSL_GUARDED_BY(mu_);
  // By the user who watches: the keys of watchers_ that are theirs.
  struct Place {
    Watcher* watcher;
    std::optional<std::string> owner;
  };
  absl::flat_hash_map<std::string, std::vector<Place>> places_
      ABSL_GUARDED_BY(mu_);
  // By instance id. Only of sessions that somebody watches, or did.
  absl::flat_hash_map<std::string, Alarm> alarms_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_SESSION_FEED_H_
