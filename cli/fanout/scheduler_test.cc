#include "cli/fanout/scheduler.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

Outcome Failed(int exit_code) { return {TargetState::kFailed, exit_code, ""}; }

// Begins all that may be begun.
std::vector<size_t> BeginAll(Scheduler& scheduler) {
  std::vector<size_t> begun;
  while (const auto next = scheduler.Next()) begun.push_back(*next);
  return begun;
}

TEST(SchedulerTest, BeginsInOrderAsFarAsTheThrottleAllows) {
  Scheduler scheduler(5, 2);
  EXPECT_THAT(BeginAll(scheduler), testing::ElementsAre(0, 1));
  scheduler.Ended(1, Outcome());
  EXPECT_THAT(BeginAll(scheduler), testing::ElementsAre(2));
  scheduler.Ended(0, Outcome());
  scheduler.Ended(2, Outcome());
  EXPECT_THAT(BeginAll(scheduler), testing::ElementsAre(3, 4));
  EXPECT_FALSE(scheduler.done());
  scheduler.Ended(4, Outcome());
  scheduler.Ended(3, Outcome());
  EXPECT_TRUE(scheduler.done());
  EXPECT_EQ(scheduler.exit_code(), 0);
}

TEST(SchedulerTest, ZeroIsTheDefaultThrottle) {
  Scheduler scheduler(100, 0);
  EXPECT_EQ(BeginAll(scheduler).size(), Scheduler::kThrottle);
}

TEST(SchedulerTest, TheLargestStatusWins) {
  Scheduler scheduler(4, 0);
  BeginAll(scheduler);
  scheduler.Ended(0, Failed(3));
  scheduler.Ended(1, Failed(42));
  scheduler.Ended(2, Failed(1));
  EXPECT_EQ(scheduler.exit_code(), 42);
  scheduler.Ended(3, TimedOut(""));
  EXPECT_EQ(scheduler.exit_code(), 124);
  EXPECT_EQ(scheduler.failed(), 4u);
}

TEST(SchedulerTest, StopsAfterFailures) {
  Scheduler scheduler(10, 3, FailAfter{2, false});
  BeginAll(scheduler);
  scheduler.Ended(0, Failed(1));
  EXPECT_THAT(BeginAll(scheduler), testing::ElementsAre(3));
  scheduler.Ended(1, Failed(1));
  EXPECT_TRUE(BeginAll(scheduler).empty());
  EXPECT_FALSE(scheduler.done());
  scheduler.Ended(2, Outcome());
  scheduler.Ended(3, Outcome());
  EXPECT_TRUE(scheduler.done());
  EXPECT_EQ(scheduler.outcomes()[9]->state, TargetState::kSkipped);
  EXPECT_EQ(scheduler.exit_code(), 1);
}

TEST(SchedulerTest, AnEndIsTakenOnce) {
  Scheduler scheduler(2, 0);
  BeginAll(scheduler);
  scheduler.Ended(0, Outcome());
  scheduler.Ended(0, Failed(9));
  EXPECT_EQ(scheduler.ended(), 1u);
  EXPECT_EQ(scheduler.exit_code(), 0);
}

TEST(SchedulerTest, SkipsWhatWasNotBegun) {
  Scheduler scheduler(4, 1);
  BeginAll(scheduler);
  scheduler.Stop(Skipped("", 130));
  EXPECT_EQ(scheduler.ended(), 3u);
  scheduler.Ended(0, Cancelled(""));
  EXPECT_TRUE(scheduler.done());
  EXPECT_EQ(scheduler.exit_code(), 130);
}

TEST(FailAfterTest, ReadsNumbersAndParts) {
  EXPECT_EQ(FailAfter::Parse("3")->FailuresOf(1000), 3u);
  EXPECT_EQ(FailAfter::Parse("10%")->FailuresOf(1000), 100u);
  EXPECT_EQ(FailAfter::Parse("10%")->FailuresOf(5), 1u);
  EXPECT_EQ(FailAfter::Parse("34%")->FailuresOf(3), 2u);
  for (const char* bad : {"", "0", "-1", "x", "0%", "101%", "%"}) {
    EXPECT_FALSE(FailAfter::Parse(bad).ok()) << bad;
  }
}

TEST(OutcomeTest, SaysHowACommandEnded) {
  v1::CommandEnded ended;
  ended.set_how(v1::CommandEnded::COMPLETED);
  EXPECT_EQ(Describe(OutcomeOf(ended, false, false)), "ok");
  ended.set_exit_code(3);
  EXPECT_EQ(Describe(OutcomeOf(ended, false, false)), "failed(3)");
  ended.set_exit_code(137);
  EXPECT_EQ(Describe(OutcomeOf(ended, false, false)), "failed(SIGKILL)");
  ended.set_exit_code(255);
  EXPECT_EQ(Describe(OutcomeOf(ended, false, false)), "failed(255)");
  ended.set_how(v1::CommandEnded::INTERRUPTED);
  ended.set_exit_code(130);
  EXPECT_EQ(Describe(OutcomeOf(ended, false, false)), "failed(SIGINT)");
  EXPECT_EQ(Describe(OutcomeOf(ended, true, false)), "cancelled");
  EXPECT_EQ(Describe(OutcomeOf(ended, true, true)), "timed out");
  ended.set_how(v1::CommandEnded::TIMED_OUT);
  EXPECT_EQ(OutcomeOf(ended, false, false).exit_code, 124);
  ended.set_how(v1::CommandEnded::UNKNOWN);
  EXPECT_EQ(Describe(OutcomeOf(ended, false, false)), "failed(125)");
  ended.set_how(v1::CommandEnded::NOT_STARTED);
  EXPECT_EQ(Describe(OutcomeOf(ended, false, false)), "refused");
}

TEST(OutcomeTest, SaysWhyATargetFailed) {
  EXPECT_EQ(OutcomeOf(absl::UnavailableError("off")).state,
            TargetState::kUnreachable);
  EXPECT_EQ(OutcomeOf(absl::NotFoundError("no")).state, TargetState::kRefused);
  EXPECT_EQ(OutcomeOf(absl::NotFoundError("no")).exit_code, 125);
  EXPECT_EQ(OutcomeOf(absl::DeadlineExceededError("late")).exit_code, 124);
}

}  // namespace
}  // namespace berth::cli
