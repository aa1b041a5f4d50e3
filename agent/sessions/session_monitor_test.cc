#include "agent/sessions/session_monitor.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace berth::agent {
namespace {

class SessionMonitorTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(monitor_.Start().ok()); }
  // Runs what is due until now, and a moment more.
  void Wait() {
    absl::Notification passed;
    monitor_.After(absl::Milliseconds(5), [&passed] { passed.Notify(); });
    ASSERT_TRUE(passed.WaitForNotificationWithTimeout(absl::Seconds(30)));
  }

  void Note(std::string task) {
    const MutexLock lock(mu_);
    ran_.push_back(std::move(task));
  }
  std::vector<std::string> Ran() {
    const MutexLock lock(mu_);
    return ran_;
  }

  Mutex mu_;
  std::vector<std::string> ran_ ABSL_GUARDED_BY(mu_);
  SessionMonitor monitor_{{}};
};

// An agent grew by some KiB for each session that was removed: what was to
// delete ended ones a day later held them as long.
TEST_F(SessionMonitorTest, WhatIsDroppedLetsGoOfWhatItHeldAtOnce) {
  auto session = std::make_shared<int>(1);
  const std::weak_ptr<int> held = session;
  monitor_.AfterAs("delete 1", absl::Hours(24), [session] {});
  session.reset();
  ASSERT_FALSE(held.expired());
  monitor_.Drop("another");
  EXPECT_FALSE(held.expired());
  monitor_.Drop("delete 1");
  EXPECT_TRUE(held.expired());
}

TEST_F(SessionMonitorTest, ANameHasOneTask) {
  auto first = std::make_shared<int>(1);
  const std::weak_ptr<int> held = first;
  monitor_.AfterAs("idle 1", absl::Hours(1), [this, first] { Note("first"); });
  first.reset();
  monitor_.AfterAs("idle 1", absl::ZeroDuration(), [this] { Note("second"); });
  EXPECT_TRUE(held.expired());
  Wait();
  EXPECT_EQ(Ran(), std::vector<std::string>{"second"});
  // It has run: its name is free, and dropping it does nothing.
  monitor_.Drop("idle 1");
  monitor_.AfterAs("idle 1", absl::ZeroDuration(), [this] { Note("third"); });
  Wait();
  EXPECT_EQ(Ran(), (std::vector<std::string>{"second", "third"}));
}

TEST_F(SessionMonitorTest, TasksWithoutANameAreApart) {
  monitor_.After(absl::Milliseconds(1), [this] { Note("a"); });
  monitor_.After(absl::ZeroDuration(), [this] { Note("b"); });
  monitor_.Drop("");
  Wait();
  EXPECT_EQ(Ran(), (std::vector<std::string>{"b", "a"}));
}

}  // namespace
}  // namespace berth::agent
