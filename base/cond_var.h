#ifndef BERTH_BASE_COND_VAR_H_
#define BERTH_BASE_COND_VAR_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace berth {

// A condition variable for Mutex. As with any, wake-ups may be spurious: wait
// in a loop that checks the condition.
class CondVar {
 public:
  // Releases `mu`, waits, and takes it again.
  void Wait(Mutex& mu) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();  // The caller goes on holding it.
  }

  // As Wait(), but gives up after `limit`. True: it gave up.
  bool WaitFor(Mutex& mu, absl::Duration limit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    const bool timed_out =
        cv_.wait_for(lock, absl::ToChronoNanoseconds(limit)) ==
        std::cv_status::timeout;
    lock.release();
    return timed_out;
  }

  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace berth

#endif  // BERTH_BASE_COND_VAR_H_
