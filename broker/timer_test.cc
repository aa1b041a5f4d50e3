#include "broker/timer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace berth::broker {
namespace {

class TimerTest : public ::testing::Test {
 protected:
  void Note(int what) {
    MutexLock lock(mu_);
    ran_.push_back(what);
    changed_.NotifyAll();
  }
  std::vector<int> WaitFor(size_t count) {
    MutexLock lock(mu_);
    while (ran_.size() < count) {
      if (changed_.WaitFor(mu_, absl::Seconds(20))) break;
    }
    return ran_;
  }

  Mutex mu_;
  CondVar changed_;
  std::vector<int> ran_ ABSL_GUARDED_BY(mu_);
};

TEST_F(TimerTest, RunsInOrderOfTimeNotOfAsking) {
  Timer timer;
  timer.After(absl::Milliseconds(60), [&] { Note(3); });
  timer.After(absl::Milliseconds(30), [&] { Note(2); });
  timer.After(absl::ZeroDuration(), [&] { Note(1); });
  EXPECT_EQ(WaitFor(3), (std::vector<int>{1, 2, 3}));
}

TEST_F(TimerTest, CancelledWorkDoesNotRun) {
  Timer timer;
  Timer::Id id = timer.After(absl::Milliseconds(5), [&] { Note(1); });
  timer.Cancel(id);
  timer.Cancel(id);
  timer.After(absl::Milliseconds(10), [&] { Note(2); });
  EXPECT_EQ(WaitFor(1), std::vector<int>{2});
}

TEST_F(TimerTest, WorkMayAskForMore) {
  Timer timer;
  timer.After(absl::ZeroDuration(), [&] {
    Note(1);
    timer.After(absl::ZeroDuration(), [&] { Note(2); });
  });
  EXPECT_EQ(WaitFor(2), (std::vector<int>{1, 2}));
}

TEST_F(TimerTest, DestructionDropsWhatIsLeft) {
  std::atomic<bool> ran = false;
  {
    Timer timer;
    timer.After(absl::Hours(1), [&] { ran = true; });
  }
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace berth::broker
