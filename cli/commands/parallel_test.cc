#include "cli/commands/parallel.h"

#include <atomic>
#include <latch>
#include <vector>

#include "base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

TEST(ForEachInParallelTest, DoesEachOnce) {
  std::vector<std::atomic<int>> calls(100);
  ForEachInParallel(calls.size(), [&](size_t i) { ++calls[i]; });
  for (const auto& count : calls) EXPECT_EQ(count, 1);
  ForEachInParallel(0, [](size_t) { FAIL(); });
}

TEST(ForEachInParallelTest, DoesSeveralAtATime) {
  std::latch all(kThrottle);
  ForEachInParallel(kThrottle, [&](size_t) { all.arrive_and_wait(); });
}

TEST(ForEachStaggeredTest, KeepsTheOrderOfWhatIsQuick) {
  Mutex mu;
  std::vector<size_t> order;
  ForEachStaggered(50, absl::Minutes(1), [&](size_t i) {
    MutexLock lock(mu);
    order.push_back(i);
  });
  std::vector<size_t> want(50);
  for (size_t i = 0; i < 50; ++i) want[i] = i;
  EXPECT_EQ(order, want);
}

TEST(ForEachStaggeredTest, DoesNotWaitForWhatIsSlow) {
  std::latch both(2);
  ForEachStaggered(2, absl::Milliseconds(1),
                   [&](size_t) { both.arrive_and_wait(); });
  ForEachStaggered(0, absl::Minutes(1), [](size_t) { FAIL(); });
}

}  // namespace
}  // namespace berth::cli
