#ifndef BERTH_CLI_CLIENT_LEAVING_H_
#define BERTH_CLI_CLIENT_LEAVING_H_

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/monotonic.h"
#include "base/mutex.h"

namespace berth::cli {

// Counts the streams that are being left: what they have written out is not
// acknowledged yet, so who receives now would be sent it again. Thread-safe.
class Leaving {
 public:
  void Begin() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    ++count_;
  }

  // Everything that was written has been acknowledged.
  void End() ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (--count_ == 0) none_.NotifyAll();
  }

  // Waits until no stream is being left, at most for `limit`.
  void WaitForNone(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_) {
    const absl::Time deadline = MonotonicNow() + limit;
    MutexLock lock(mu_);
    while (count_ > 0 && MonotonicNow() < deadline) {
      none_.WaitFor(mu_, deadline - MonotonicNow());
    }
  }

 private:
  Mutex mu_;
  CondVar none_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_LEAVING_H_
