#ifndef BERTH_AGENT_HOLDER_SESSION_END_H_
#define BERTH_AGENT_HOLDER_SESSION_END_H_

#include <sys/types.h>

#include <functional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "agent/holder/event_loop.h"

namespace berth::holder {

// Ends all processes of a session: the shell, whatever is in its POSIX session,
// and what they have started elsewhere, as long as it descends from this
// process (which is a subreaper). First they are asked, by SIGHUP, as when a
// terminal is closed; those that stay are killed. One thread.
class SessionEnd {
 public:
  SessionEnd(EventLoop& loop, pid_t shell, std::function<void()> on_done)
      : loop_(loop), shell_(shell), on_done_(std::move(on_done)) {}

  // Calls `on_done` when none is left, or none more can be ended.
  void Begin();
  bool begun() const { return begun_; }

  // A child has ended: maybe it was the last.
  void OnChildEnded();

 private:
  void Step();
  // Asks those among `members` that were not asked yet.
  void Ask(const std::vector<pid_t>& members);

  EventLoop& loop_;
  const pid_t shell_;
  const std::function<void()> on_done_;
  absl::flat_hash_set<pid_t> asked_;
  bool begun_ = false;
  bool done_ = false;
  absl::Time kill_at_;
  absl::Time give_up_at_;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_SESSION_END_H_
