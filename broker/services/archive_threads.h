#ifndef BERTH_BROKER_SERVICES_ARCHIVE_THREADS_H_
#define BERTH_BROKER_SERVICES_ARCHIVE_THREADS_H_

#include <functional>

#include "absl/status/status.h"
#include "base/cond_var.h"
#include "base/mutex.h"

namespace berth::broker {

// Work on an archive: reading and writing files blocks, so each call has a
// thread, and there are few at a time. Thread-safe.
class ArchiveThreads {
 public:
  static constexpr int kMax = 8;

  ArchiveThreads() = default;
  // Waits for the threads.
  ~ArchiveThreads();

  // Runs `work` on a thread of its own. ResourceExhausted: there are too many.
  absl::Status Start(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Mutex mu_;
  CondVar done_;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_ARCHIVE_THREADS_H_
