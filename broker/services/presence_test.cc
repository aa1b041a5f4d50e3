#include "broker/services/presence.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/cond_var.h"

namespace berth::broker {
namespace {

class PresenceTest : public ::testing::Test {
 protected:
  explicit PresenceTest(absl::Duration grace = absl::Milliseconds(30))
      : presence_(timer_, grace, [this](const Presence::Client& client) {
          MutexLock lock(mu_);
          absent_.push_back(client.second);
          changed_.NotifyAll();
        }) {}

  std::vector<std::string> WaitForAbsent(size_t count) {
    MutexLock lock(mu_);
    while (absent_.size() < count) {
      if (changed_.WaitFor(mu_, absl::Seconds(20))) break;
    }
    return absent_;
  }

  const Presence::Client laptop_{"alice", "laptop"};
  const Presence::Client desk_{"alice", "desk"};
  Mutex mu_;
  CondVar changed_;
  std::vector<std::string> absent_ ABSL_GUARDED_BY(mu_);
  Presence presence_;
  Timer timer_;
};

TEST_F(PresenceTest, LastStreamAndGraceMakeAClientAbsent) {
  presence_.Join(laptop_);
  presence_.Join(laptop_);
  presence_.Leave(laptop_);
  EXPECT_TRUE(presence_.IsPresent(laptop_));
  presence_.Leave(laptop_);
  EXPECT_FALSE(presence_.IsPresent(laptop_));
  EXPECT_EQ(WaitForAbsent(1), std::vector<std::string>{"laptop"});
  EXPECT_TRUE(presence_.IsAbsent(laptop_));
}

TEST_F(PresenceTest, ComingBackInTimeChangesNothing) {
  presence_.Join(laptop_);
  presence_.Leave(laptop_);
  EXPECT_FALSE(presence_.IsAbsent(laptop_));
  presence_.Join(laptop_);
  presence_.Join(desk_);
  presence_.Leave(desk_);
  EXPECT_EQ(WaitForAbsent(1), std::vector<std::string>{"desk"});
  EXPECT_TRUE(presence_.IsPresent(laptop_));
}

TEST_F(PresenceTest, ManyThreadsComeAndGo) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) {
        presence_.Join(laptop_);
        presence_.IsPresent(laptop_);
        presence_.Leave(laptop_);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  WaitForAbsent(1);
  EXPECT_FALSE(presence_.IsPresent(laptop_));
}

}  // namespace
}  // namespace berth::broker
