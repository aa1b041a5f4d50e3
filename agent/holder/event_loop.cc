#include "agent/holder/event_loop.h"

#include <errno.h>
#include <sys/epoll.h>

#include <algorithm>

#include "agent/shell/monotonic.h"
#include "base/files.h"

namespace berth::holder {
namespace {

constexpr int kMaxEvents = 32;

}  // namespace

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return ErrnoToStatus(errno, "epoll_create1");
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll)));
}

absl::Status EventLoop::Watch(int fd, uint32_t events, Handler handler) {
  uint32_t generation = ++next_generation_;
  epoll_event event = {};
  event.events = events;
  event.data.u64 = KeyOf(fd, generation);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return ErrnoToStatus(errno, "epoll_ctl");
  }
  watched_[fd] = std::make_shared<Watched>(
      Watched{std::move(handler), generation, events});
  return absl::OkStatus();
}

void EventLoop::Change(int fd, uint32_t events) {
  auto found = watched_.find(fd);
  if (found == watched_.end() || found->second->events == events) return;
  found->second->events = events;
  epoll_event event = {};
  event.events = events;
  event.data.u64 = KeyOf(fd, found->second->generation);
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::Unwatch(int fd) {
  if (watched_.erase(fd) == 0) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::After(absl::Duration delay, Callback callback) {
  TimerId id(shell::MonotonicNow() + delay, ++next_timer_);
  timers_.emplace(id, std::move(callback));
  return id;
}

void EventLoop::Cancel(TimerId id) { timers_.erase(id); }

int EventLoop::MillisecondsToNextTimer() const {
  if (timers_.empty()) return -1;
  absl::Duration left = timers_.begin()->first.first - shell::MonotonicNow();
  // Rounded up, so as not to wake before the time.
  int64_t ms = absl::ToInt64Milliseconds(left + absl::Microseconds(999));
  return static_cast<int>(std::clamp<int64_t>(ms, 0, 3600 * 1000));
}

void EventLoop::RunTimers() {
  if (timers_.empty()) return;
  absl::Time now = shell::MonotonicNow();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    Callback callback = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    callback();
  }
}

void EventLoop::Dispatch(uint64_t key, uint32_t events) {
  auto found = watched_.find(static_cast<int>(static_cast<uint32_t>(key)));
  if (found == watched_.end() || found->second->generation != key >> 32) {
    return;
  }
  std::shared_ptr<Watched> watched = found->second;
  watched->handler(events);
}

void EventLoop::Run() {
  stopped_ = false;
  while (!stopped_) {
    epoll_event events[kMaxEvents];
    int count =
        epoll_wait(epoll_.get(), events, kMaxEvents, MillisecondsToNextTimer());
    for (int i = 0; i < count && !stopped_; ++i) {
      Dispatch(events[i].data.u64, events[i].events);
    }
    if (!stopped_) RunTimers();
  }
}

}  // namespace berth::holder
