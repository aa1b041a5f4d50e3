#ifndef BERTH_CLI_INVOCATION_DEADLINE_H_
#define BERTH_CLI_INVOCATION_DEADLINE_H_

#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/monotonic.h"
#include "base/mutex.h"
#include "cli/invocation/signals.h"

namespace berth::cli {

// Makes an invocation leave when a time has passed. Thread-safe.
class Deadline {
 public:
  // Not set: never.
  Deadline(SignalSource& signals, std::optional<absl::Duration> after) {
    if (!after.has_value()) return;
    thread_ = std::thread([this, &signals, at = MonotonicNow() + *after] {
      if (Sleep(at)) signals.Leave();
    });
  }
  ~Deadline() {
    {
      MutexLock lock(mu_);
      ending_ = true;
      changed_.NotifyAll();
    }
    if (thread_.joinable()) thread_.join();
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Whether it was this that made the invocation leave.
  bool passed() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return passed_;
  }

 private:
  bool Sleep(absl::Time at) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    while (!ending_ && MonotonicNow() < at) {
      changed_.WaitFor(mu_, at - MonotonicNow());
    }
    passed_ = !ending_;
    return passed_;
  }

  mutable Mutex mu_;
  CondVar changed_;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  bool passed_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INVOCATION_DEADLINE_H_
