#include "broker/timer.h"

#include <chrono>

namespace berth::broker {
namespace {

int64_t SteadyNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Timer::Timer() : thread_([this] { Run(); }) {}

Timer::~Timer() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

Timer::Id Timer::After(absl::Duration delay, std::function<void()> work) {
  const int64_t when = SteadyNow() + absl::ToInt64Nanoseconds(delay);
  bool is_next;
  Id id;
  {
    MutexLock lock(mu_);
    id = ++last_id_;
    is_next = work_.empty() || when < work_.begin()->first.first;
    work_.emplace(Key(when, id), std::move(work));
    when_.emplace(id, when);
  }
  if (is_next) changed_.NotifyOne();
  return id;
}

void Timer::Cancel(Id id) {
  std::function<void()> dropped;  // Destroyed after the lock is released.
  MutexLock lock(mu_);
  auto when = when_.find(id);
  if (when == when_.end()) return;
  auto work = work_.find(Key(when->second, id));
  dropped = std::move(work->second);
  work_.erase(work);
  when_.erase(when);
}

std::function<void()> Timer::Next() {
  MutexLock lock(mu_);
  while (!stopping_) {
    if (work_.empty()) {
      changed_.Wait(mu_);
      continue;
    }
    auto first = work_.begin();
    const int64_t left = first->first.first - SteadyNow();
    if (left > 0) {
      changed_.WaitFor(mu_, absl::Nanoseconds(left));
      continue;
    }
    std::function<void()> work = std::move(first->second);
    when_.erase(first->first.second);
    work_.erase(first);
    return work;
  }
  return nullptr;
}

void Timer::Run() {
  while (std::function<void()> work = Next()) work();
}

}  // namespace berth::broker
