#ifndef BERTH_BROKER_TIMER_H_
#define BERTH_BROKER_TIMER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"

namespace berth::broker {

// Timer runs functions later, on one thread of its own; they must not block.
// It keeps to the monotonic clock, so a jump of the wall clock does not matter.
// Thread-safe.
class Timer {
 public:
  using Id = uint64_t;

  Timer();
  // Drops what has not run yet, and waits for what is running.
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Runs `work` once, `delay` from now.
  Id After(absl::Duration delay, std::function<void()> work)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Takes back what has not run yet. It may be running just now.
  void Cancel(Id id) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Key = std::pair<int64_t, Id>;  // When (steady nanoseconds), and which.

  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  // Takes the next piece of work, waiting for it. Null: stopping.
  std::function<void()> Next() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar changed_;
  std::map<Key, std::function<void()>> work_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<Id, int64_t> when_ ABSL_GUARDED_BY(mu_);
  Id last_id_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_TIMER_H_
