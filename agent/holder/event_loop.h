#ifndef BERTH_AGENT_HOLDER_EVENT_LOOP_H_
#define BERTH_AGENT_HOLDER_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace berth::holder {

// Calls handlers when descriptors are ready and when times have come. One
// thread; handlers may call any method.
class EventLoop {
 public:
  // Gets the EPOLL... bits that are set.
  using Handler = std::function<void(uint32_t events)>;
  using Callback = std::function<void()>;
  using TimerId = std::pair<absl::Time, uint64_t>;

  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();

  // Watches `fd` until Unwatch(), which must come before it is closed.
  // RESOURCE_EXHAUSTED: the kernel won't watch more.
  absl::Status Watch(int fd, uint32_t events, Handler handler);
  // Waits for other events from now on. Harmless if `fd` isn't watched.
  void Change(int fd, uint32_t events);
  void Unwatch(int fd);

  // Calls `callback` once, `delay` from now.
  TimerId After(absl::Duration delay, Callback callback);
  void Cancel(TimerId id);

  // Until Stop().
  void Run();
  void Stop() { stopped_ = true; }

 private:
  struct Watched {
    Handler handler;
    uint32_t generation;
    uint32_t events;
  };

  explicit EventLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  int MillisecondsToNextTimer() const;
  void RunTimers();
  void Dispatch(uint64_t key, uint32_t events);
  static uint64_t KeyOf(int fd, uint32_t generation) {
    return uint64_t{generation} << 32 | static_cast<uint32_t>(fd);
  }

  UniqueFd epoll_;
  bool stopped_ = false;
  // Shared, as a handler may end its own watch.
  absl::flat_hash_map<int, std::shared_ptr<Watched>> watched_;
  // Tells a descriptor from an older one with its number, for which an event
  // was already taken.
  uint32_t next_generation_ = 0;
  uint64_t next_timer_ = 0;
  std::map<TimerId, Callback> timers_;
};

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_EVENT_LOOP_H_
