#ifndef BERTH_AGENT_SESSIONS_WORKER_POOL_H_
#define BERTH_AGENT_SESSIONS_WORKER_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"

namespace berth::agent {

// Runs tasks that block, each on a thread of its own for as long as it takes.
// Threads are kept for a while and used again, since a call that needs two
// comes every few milliseconds; an idle pool has none. Thread-safe.
class WorkerPool {
 public:
  // `on_idle` runs, briefly, when the last thread is about to end.
  explicit WorkerPool(size_t max_threads,
                      std::function<void()> on_idle = nullptr)
      : max_threads_(max_threads), on_idle_(std::move(on_idle)) {}
  // Waits for all tasks to end.
  ~WorkerPool();

  // Starts `task` at once. False if all threads are busy.
  bool Run(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mu_);

  // Waits until no task runs. False if one still does after `limit`.
  bool WaitIdle(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mu_);

  const size_t max_threads_;
  const std::function<void()> on_idle_;
  Mutex mu_;
  CondVar wake_;  // A task is there, or the pool ends.
  CondVar done_;  // A task or a thread has ended.
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
  size_t threads_ ABSL_GUARDED_BY(mu_) = 0;
  size_t idle_ ABSL_GUARDED_BY(mu_) = 0;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_WORKER_POOL_H_
