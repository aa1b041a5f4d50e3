#ifndef BERTH_AGENT_SESSIONS_SESSION_MONITOR_H_
#define BERTH_AGENT_SESSIONS_SESSION_MONITOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/sessions/holder_connection.h"
#include "agent/sessions/managed_session.h"
#include "base/mutex.h"
#include "base/unique_fd.h"

namespace berth::agent {

// One thread that follows what the shells of all sessions do, and does what is
// due: reports, idle clocks, and other timed work. Thread-safe.
class SessionMonitor {
 public:
  using Session = std::shared_ptr<ManagedSession>;

  // Called by the monitor's thread; each may take a little while, but must not
  // wait for the monitor.
  struct Handlers {
    // Something about the session may be worth a report; `details`: also if
    // it is only what changes with every short command.
    std::function<void(const Session&, bool details)> changed;
    // Its holder has closed the connection.
    std::function<void(const Session&)> holder_gone;
    // Its idle clock has run out.
    std::function<void(const Session&)> idle;
  };

  explicit SessionMonitor(Handlers handlers);
  ~SessionMonitor();

  absl::Status Start();
  void Stop();

  // Follows a session by an attached connection to its holder.
  absl::Status Follow(Session session, HolderConnection connection)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Sees to a session after something about it was changed here: soon, so that
  // many small changes make one report; or at once.
  void Touch(const Session& session) ABSL_LOCKS_EXCLUDED(mu_);
  void Flush(const Session& session) ABSL_LOCKS_EXCLUDED(mu_);

  // Runs `task` on the monitor's thread after `delay`. Lost if it stops.
  void After(absl::Duration delay, std::function<void()> task)
      ABSL_LOCKS_EXCLUDED(mu_) {
    AfterAs("", delay, std::move(task));
  }
  // The same, instead of what was to be run by this name (if it has one), and
  // unless that is dropped: what a task holds for hours, it need not hold for
  // sessions that are gone.
  void AfterAs(const std::string& name, absl::Duration delay,
               std::function<void()> task) ABSL_LOCKS_EXCLUDED(mu_);
  void Drop(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Followed {
    Session session;
    HolderConnection connection;
    uint64_t key;  // Its epoll events carry this.
  };
  struct Task {
    std::string name;
    std::function<void()> run;
  };
  using Due = std::multimap<absl::Duration, Task>;

  void Run();
  void Wake();
  // When the next timed thing is due, in milliseconds; -1: never.
  int NextTimeout() ABSL_LOCKS_EXCLUDED(mu_);
  void RunDue() ABSL_LOCKS_EXCLUDED(mu_);
  // Takes in what the holder of a session has sent. False: it is gone.
  bool Receive(Followed& followed);
  void OnReadable(const std::shared_ptr<Followed>& followed)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Looks at a session after some changes: reports, arms its idle clock.
  void Look(const Session& session) ABSL_LOCKS_EXCLUDED(mu_);
  // Reports details a little later: many short commands make one report.
  void LookAtDetails(const Session& session) ABSL_LOCKS_EXCLUDED(mu_);
  void CheckIdle(const Session& session) ABSL_LOCKS_EXCLUDED(mu_);
  void LookAfter(absl::Duration delay, const Session& session)
      ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<Followed> Find(uint64_t key) ABSL_LOCKS_EXCLUDED(mu_);

  const Handlers handlers_;
  UniqueFd epoll_;
  UniqueFd wake_;
  std::thread thread_;

  Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t last_key_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<uint64_t, std::shared_ptr<Followed>> followed_
      ABSL_GUARDED_BY(mu_);
  Due due_ ABSL_GUARDED_BY(mu_);
  // Those of them that have one, by name.
  absl::flat_hash_map<std::string, Due::iterator> named_ ABSL_GUARDED_BY(mu_);
  // Sessions that will be looked at, so that they aren't noted twice.
  absl::flat_hash_set<std::string> pending_looks_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<std::string> pending_details_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_SESSION_MONITOR_H_
