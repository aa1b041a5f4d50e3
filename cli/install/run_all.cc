#include "cli/install/run_all.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace berth::cli {

int RunOnAll(
    SignalSource& signals, Board& board, size_t count, size_t parallel,
    const std::function<absl::StatusOr<std::string>(size_t, const Doing&)>&
        work) {
  std::atomic<size_t> next = 0;
  const auto some = [&] {
    for (size_t i = next++; i < count; i = next++) {
      if (signals.left()) {
        board.Done(i, false, "interrupted before it began");
        continue;
      }
      const absl::StatusOr<std::string> done = work(
          i,
          [&board, i](std::string what) { board.Doing(i, std::move(what)); });
      board.Done(i, done.ok(),
                 done.ok() ? *done : std::string(done.status().message()));
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < std::min(parallel, count); ++i) {
    threads.emplace_back(some);
  }
  const int exit = board.Show();
  for (std::thread& thread : threads) thread.join();
  return signals.left() ? signals.exit_code() : exit;
}

}  // namespace berth::cli
