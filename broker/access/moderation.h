#ifndef BERTH_BROKER_ACCESS_MODERATION_H_
#define BERTH_BROKER_ACCESS_MODERATION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/policy/verb.h"
#include "broker/registry/registry.h"
#include "broker/timer.h"

namespace berth::broker {

// Moderation knows who works in which session (types, runs, copies) and who
// watches it: where a role is moderated, its users work only while somebody
// else, who is not the session's owner either, watches. Streams of work that is
// watched no more are ended after a grace. Thread-safe.
class Moderation {
 public:
  using Id = uint64_t;
  // How long work goes on after the last observer has left, so that one who
  // loses the network for a moment interrupts nobody.
  static constexpr absl::Duration kGrace = absl::Seconds(5);

  struct Work {
    std::string user;
    SessionRecord session;
    Verb verb = Verb::kRun;
    // Ends the stream. Must not block; runs at most once, without locks held.
    std::function<void(const absl::Status&)> end;
  };
  // Something that the audit log is told of.
  struct Event {
    std::string verb;  // "observer.joined", "observer.left", "session.paused".
    std::string user;  // Who watches, or whose work was ended.
    SessionRecord session;
    std::string reason;
  };
  // The role because of which `user` may do `verb` in a session only while
  // observed; empty: none is.
  using RoleOf = std::function<std::string(
      const std::string& user, const v1::Session& session, Verb verb)>;
  // All are called without locks held, and must not block. `timer` is used
  // after the constructor alone; nothing that it runs may outlive this.
  Moderation(Timer& timer, RoleOf role_of,
             std::function<void(const Event&)> tell,
             absl::Duration grace = kGrace)
      : timer_(timer),
        role_of_(std::move(role_of)),
        tell_(std::move(tell)),
        grace_(grace) {}

  // Somebody is about to work. FAILED_PRECONDITION: not unobserved; says how an
  // observer joins. Until End(), or until `work.end` was run.
  absl::StatusOr<Id> Begin(Work work) ABSL_LOCKS_EXCLUDED(mu_);
  void End(Id id) ABSL_LOCKS_EXCLUDED(mu_);

  // Somebody is about to watch; counts from Arrive() to Leave(), which must
  // come.
  Id Expect(const std::string& user, SessionRecord session)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Arrive(Id id) ABSL_LOCKS_EXCLUDED(mu_);
  void Leave(Id id) ABSL_LOCKS_EXCLUDED(mu_);

  // What roles say has changed: work that needs an observer now, and has none,
  // ends after the grace.
  void Recheck() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Worker {
    Work work;
    // By the monotonic clock; InfiniteFuture: somebody watches.
    absl::Time unobserved_since = absl::InfiniteFuture();
  };
  struct Observer {
    std::string user;
    SessionRecord session;
    bool here = false;
  };
  struct Room {
    std::map<Id, Worker> workers;
    std::map<Id, Observer> observers;
  };

  static bool IsObserved(const Room& room, const Work& work);
  // Notes since when the workers of a room are unobserved.
  static void Look(Room& room);
  void EraseIfEmpty(const std::string& session)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Ends what is unobserved for too long, `grace_` from now.
  void PauseLater(const std::string& session) ABSL_LOCKS_EXCLUDED(mu_);
  void Pause(const std::string& session) ABSL_LOCKS_EXCLUDED(mu_);

  Timer& timer_;
  const RoleOf role_of_;
  const std::function<void(const Event&)> tell_;
  const absl::Duration grace_;
  Mutex mu_;
  Id last_ ABSL_GUARDED_BY(mu_) = 0;
  // By the sessions' instance ids.
  absl::flat_hash_map<std::string, Room> rooms_ ABSL_GUARDED_BY(mu_);
  // In which room an id is.
  absl::flat_hash_map<Id, std::string> where_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ACCESS_MODERATION_H_
