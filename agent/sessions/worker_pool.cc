#include "agent/sessions/worker_pool.h"

#include <system_error>
#include <thread>
#include <utility>

#include "base/monotonic.h"

namespace berth::agent {
namespace {

// How long a thread waits for more to do.
constexpr absl::Duration kKeep = absl::Seconds(10);

}  // namespace

WorkerPool::~WorkerPool() {
  MutexLock lock(mu_);
  ending_ = true;
  wake_.NotifyAll();
  while (threads_ > 0) done_.Wait(mu_);
}

bool WorkerPool::Run(std::function<void()> task) {
  MutexLock lock(mu_);
  if (idle_ > tasks_.size()) {
    tasks_.push_back(std::move(task));
    wake_.NotifyOne();
    return true;
  }
  if (threads_ >= max_threads_) return false;
  tasks_.push_back(std::move(task));
  // Counted as idle until it has taken its task.
  ++threads_;
  ++idle_;
  try {
    std::thread([this] { Work(); }).detach();
  } catch (const std::system_error&) {
    --threads_;
    --idle_;
    tasks_.pop_back();
    return false;
  }
  return true;
}

bool WorkerPool::WaitIdle(absl::Duration limit) {
  const absl::Time deadline = MonotonicNow() + limit;
  MutexLock lock(mu_);
  while (idle_ < threads_ || !tasks_.empty()) {
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) return false;
    done_.WaitFor(mu_, left);
  }
  return true;
}

void WorkerPool::Work() {
  MutexLock lock(mu_);
  for (;;) {
    const absl::Time until = MonotonicNow() + kKeep;
    while (tasks_.empty() && !ending_) {
      const absl::Duration left = until - MonotonicNow();
      if (left <= absl::ZeroDuration()) break;
      wake_.WaitFor(mu_, left);
    }
    if (tasks_.empty() && threads_ == 1 && !ending_ && on_idle_) {
      mu_.Unlock();
      on_idle_();
      mu_.Lock();
    }
    if (tasks_.empty()) break;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    --idle_;
    mu_.Unlock();
    task();
    task = nullptr;  // What it holds goes outside the lock, too.
    mu_.Lock();
    ++idle_;
    done_.NotifyAll();
  }
  --threads_;
  --idle_;
  done_.NotifyAll();
}

}  // namespace berth::agent
