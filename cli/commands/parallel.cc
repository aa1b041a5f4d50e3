#include "cli/commands/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/cond_var.h"
#include "base/monotonic.h"
#include "base/mutex.h"

namespace berth::cli {
namespace {

// Hands out numbers, each some time after the one before, or once that is done.
class Stagger {
 public:
  Stagger(size_t count, absl::Duration head_start)
      : count_(count), head_start_(head_start) {}

  // False: there are no more.
  bool Next(size_t& number) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    while (next_ < count_ && !latest_done_ && MonotonicNow() < not_before_) {
      changed_.WaitFor(mu_, not_before_ - MonotonicNow());
    }
    if (next_ == count_) return false;
    number = next_++;
    latest_done_ = false;
    not_before_ = MonotonicNow() + head_start_;
    return true;
  }

  void Done(size_t number) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    if (number + 1 == next_) latest_done_ = true;
    changed_.NotifyAll();
  }

 private:
  const size_t count_;
  const absl::Duration head_start_;
  Mutex mu_;
  CondVar changed_;
  size_t next_ ABSL_GUARDED_BY(mu_) = 0;
  bool latest_done_ ABSL_GUARDED_BY(mu_) = true;
  absl::Time not_before_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

void OnThreads(size_t count, const std::function<void()>& loop) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(count, kThrottle); ++i) {
    threads.emplace_back(loop);
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

void ForEachInParallel(size_t count, const std::function<void(size_t)>& work) {
  if (count == 1) return work(0);
  std::atomic<size_t> next = 0;
  OnThreads(count, [&] {
    for (size_t at = next++; at < count; at = next++) work(at);
  });
}

void ForEachStaggered(size_t count, absl::Duration head_start,
                      const std::function<void(size_t)>& work) {
  if (count == 1) return work(0);
  Stagger stagger(count, head_start);
  OnThreads(count, [&] {
    for (size_t at = 0; stagger.Next(at);) {
      work(at);
      stagger.Done(at);
    }
  });
}

}  // namespace berth::cli
