#ifndef BERTH_CLI_COMMANDS_PARALLEL_H_
#define BERTH_CLI_COMMANDS_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace berth::cli {

// How many targets a command works on at a time.
inline constexpr size_t kThrottle = 32;

// Calls `work` with 0 to `count` - 1, at most kThrottle at a time, and waits
// for all.
inline void ForEachInParallel(size_t count,
                              const std::function<void(size_t)>& work) {
  if (count == 1) return work(0);
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(count, kThrottle); ++i) {
    threads.emplace_back([&] {
      for (size_t at = next++; at < count; at = next++) work(at);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_PARALLEL_H_
