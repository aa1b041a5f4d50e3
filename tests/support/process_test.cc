#include "tests/support/process.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace berth::testing {
namespace {

TEST(ProcessTest, RunsToItsEndWithInputAndBothOutputs) {
  auto done = Process::Run(
      {.argv = {"/bin/sh", "-c", "cat; echo oops >&2; exit 3"}}, "hello");
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->exit_code, 3);
  EXPECT_EQ(done->out, "hello");
  EXPECT_EQ(done->err, "oops\n");
}

TEST(ProcessTest, PassesMoreThanPipesHold) {
  std::string big(3 << 20, 'x');
  auto done = Process::Run({.argv = {"/bin/cat"}}, big);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->out, big);
}

TEST(ProcessTest, SurvivesAReaderThatIsGone) {
  std::string big(3 << 20, 'x');
  auto done = Process::Run({.argv = {"/bin/true"}}, big);
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->exit_code, 0);
}

TEST(ProcessTest, KillsWhatTakesTooLong) {
  auto done =
      Process::Run({.argv = {"/bin/sleep", "60"}}, "", absl::Milliseconds(100));
  EXPECT_EQ(done.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(ProcessTest, WaitsForALineAndTellsHowItEnded) {
  auto process = Process::Start(
      {"/bin/sh", "-c", "echo noise; echo ready port=12; sleep 60"});
  ASSERT_TRUE(process.ok()) << process.status();
  auto line = process->WaitForLine("ready port=");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(*line, "12");
  EXPECT_EQ(process->StopWith(SIGTERM), 128 + SIGTERM);
}

TEST(ProcessTest, QuotesWhatWasPrintedIfTheLineNeverComes) {
  auto process = Process::Start({"/bin/echo", "something else"});
  ASSERT_TRUE(process.ok()) << process.status();
  auto line = process->WaitForLine("ready");
  EXPECT_EQ(line.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(line.status().message().find("something else"),
            absl::string_view::npos);
}

TEST(ProcessTest, NamesAProgramThatIsNotThere) {
  auto process = Process::Start({"/nonexistent/program"});
  EXPECT_EQ(process.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(process.status().message().find("/nonexistent/program"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace berth::testing
