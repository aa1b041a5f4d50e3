#include "agent/sessions/worker_pool.h"

#include <atomic>

#include "gtest/gtest.h"

namespace berth::agent {
namespace {

TEST(WorkerPoolTest, RunsAtOnceUpToItsLimit) {
  std::atomic<int> running = 0;
  std::atomic<bool> go = false;
  {
    WorkerPool pool(3);
    const auto task = [&] {
      ++running;
      go.wait(false);
    };
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.Run(task));
    EXPECT_FALSE(pool.Run(task));
    EXPECT_FALSE(pool.WaitIdle(absl::Milliseconds(1)));
    go = true;
    go.notify_all();
    EXPECT_TRUE(pool.WaitIdle(absl::Seconds(10)));
    EXPECT_EQ(running, 3);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.Run(task));
  }
  EXPECT_EQ(running, 6) << "the pool waits for its tasks";
}

TEST(WorkerPoolTest, ManyShortTasks) {
  std::atomic<int> done = 0;
  WorkerPool pool(1000);
  for (int i = 0; i < 5000; ++i) {
    while (!pool.Run([&] { ++done; })) {
    }
  }
  EXPECT_TRUE(pool.WaitIdle(absl::Seconds(10)));
  EXPECT_EQ(done, 5000);
}

}  // namespace
}  // namespace berth::agent
