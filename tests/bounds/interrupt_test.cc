// Ctrl-C during a flood of output through a link of 1 MB/s: whoever pressed it
// has the prompt back at once, and the log has everything.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/monotonic.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bounds/slow_link.h"
#include "tests/e2e/fleet.h"
#include "tests/support/tty_program.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kRate[] = "8mbit";  // 1 MB/s
constexpr char kDelay[] = "10ms";
// There and back.
constexpr absl::Duration kRoundTrip = absl::Milliseconds(20);
constexpr absl::Duration kLimit = absl::Milliseconds(200);
// On a busy machine the best of several tries counts; none takes this long.
constexpr int kTries = 5;
constexpr absl::Duration kNever = absl::Seconds(3);
// A megabyte takes a second: so much in, what could queue up has.
constexpr size_t kFlood = 2 << 20;

class InterruptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto link = SlowLink::Make(kRate, kDelay);
    if (!link.ok()) GTEST_SKIP() << link.status().message();
    link_ = *std::move(link);
    fleet_ = std::make_unique<Fleet>(std::vector<std::string>{"Server01"},
                                     "0.0.0.0");
    // So it is nobody's, but while something runs.
    fleet_->Run({"new", "-c", "Server01"});
    fleet_->Run({"disconnect", "1"});
    // Makes the keeper, in the other network.
    ASSERT_EQ(Far({"ls"}).exit_code, 0);
  }

  void TearDown() override {
    if (fleet_ != nullptr) Far({"keeper", "stop"});
  }

  // How to start `berth` as "far", beyond the link.
  Process::Options FarCommand(const std::vector<std::string>& arguments) {
    Process::Options options = fleet_->Command(arguments, "far");
    for (std::string& variable : *options.environment) {
      if (absl::StartsWith(variable, "BERTH_BROKER=")) {
        variable = absl::StrCat("BERTH_BROKER=", SlowLink::kAddress, ":",
                                fleet_->port());
      }
    }
    return link_->Through(options);
  }

  Process::Finished Far(const std::vector<std::string>& arguments) {
    auto finished = Process::Run(FarCommand(arguments), "", absl::Minutes(2));
    EXPECT_TRUE(finished.ok()) << finished.status();
    return finished.ok() ? *std::move(finished) : Process::Finished{-1, "", ""};
  }

  // From Ctrl-C to the end, during the flood of a `run`. `output`: what the
  // user saw.
  absl::Duration InterruptRun(const std::string& command, std::string* output) {
    TtyProgram run(FarCommand({"run", "-s", "1", "--", command}));
    run.WaitUntil([&](const auto&) { return run.output().size() > kFlood; },
                  "a flood", absl::Seconds(60));
    const absl::Time begin = MonotonicNow();
    run.Type("\x03");
    EXPECT_EQ(run.Wait(), 130);
    const absl::Duration took = MonotonicNow() - begin;
    *output = run.output();
    return took;
  }

  absl::Duration limit() const {
    return kLimit + (link_->delays() ? kRoundTrip : absl::ZeroDuration());
  }

  std::unique_ptr<SlowLink> link_;
  std::unique_ptr<Fleet> fleet_;
};

// The note that a `run` leaves: what was skipped, and how to see it.
struct Skipped {
  uint64_t bytes = 0;
  uint64_t from = 0;
  std::string command;
};

Skipped SkippedIn(const std::string& output) {
  Skipped skipped;
  const std::vector<std::string> words =
      absl::StrSplit(output, absl::ByAnyChar(" \r\n'"), absl::SkipEmpty());
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] == "bytes") {
      EXPECT_TRUE(absl::SimpleAtoi(words[i - 1], &skipped.bytes));
    }
    if (words[i] == "--command") skipped.command = words[i + 1];
    if (words[i] == "--from") {
      EXPECT_TRUE(absl::SimpleAtoi(words[i + 1], &skipped.from));
    }
  }
  return skipped;
}

TEST_F(InterruptTest, RunEndsAtOnceAndItsLogHasEveryByte) {
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < kTries && best > limit(); ++i) {
    std::string output;
    // 23 MB, which would take 23 s to come.
    const absl::Duration took = InterruptRun(
        "trap 'echo cleaned up' INT; seq 1 3000000; sleep 1000", &output);
    EXPECT_LT(took, kNever);
    best = std::min(best, took);
    EXPECT_THAT(output, HasSubstr("cleaned up"));
    const Skipped skipped = SkippedIn(output);
    EXPECT_GT(skipped.bytes, 10u << 20);
    ASSERT_NE(skipped.command, "") << output.substr(output.size() - 1000);
    const std::string all = fleet_->Run(
        {"receive", "1", "--command", skipped.command, "--from-start"});
    auto expected = Process::Run({.argv = {"/usr/bin/seq", "1", "3000000"}});
    ASSERT_TRUE(expected.ok());
    EXPECT_TRUE(absl::StartsWith(all, expected->out)) << all.size();
    EXPECT_TRUE(absl::EndsWith(all, "cleaned up\n")) << all.size();
    EXPECT_LT(all.size(), expected->out.size() + 20);
    const std::string rest =
        fleet_->Run({"receive", "1", "--command", skipped.command, "--from",
                     absl::StrCat(skipped.from)});
    EXPECT_TRUE(rest == all.substr(skipped.from)) << rest.size();
  }
  RecordProperty("milliseconds", absl::ToInt64Milliseconds(best));
  std::printf("run: %s after Ctrl-C, limit %s\n",
              absl::FormatDuration(best).c_str(),
              absl::FormatDuration(limit()).c_str());
  EXPECT_LE(best, limit());
}

TEST_F(InterruptTest, FloodThatFillsTheLogLeavesTheSessionUsable) {
  std::string output;
  EXPECT_LT(InterruptRun("yes", &output), kNever);
  EXPECT_GT(SkippedIn(output).bytes, 10u << 20);
  EXPECT_EQ(Far({"run", "-s", "1", "--", "echo usable"}).out, "usable\n");
}

TEST_F(InterruptTest, RunOnManyEndsAtOnceToo) {
  fleet_->Run({"new", "-c", "Server01"});
  fleet_->Run({"disconnect", "2"});
  TtyProgram run(
      FarCommand({"run", "-s", "1,2", "--color=never", "--",
                  "trap 'echo cleaned up' INT; seq 1 3000000; sleep 1000"}));
  run.WaitUntil([&](const auto&) { return run.output().size() > kFlood; },
                "a flood", absl::Seconds(60));
  const absl::Time begin = MonotonicNow();
  run.Type("\x03");
  EXPECT_EQ(run.Wait(), 130);
  const absl::Duration took = MonotonicNow() - begin;
  // All of it would take 46 s.
  EXPECT_LT(took, kNever);
  std::printf("run on two: %s after Ctrl-C\n",
              absl::FormatDuration(took).c_str());
  const std::string shown = run.output().substr(run.output().size() - 1000);
  for (const char* text :
       {"Server01/1: cleaned up", "Server01/2: cleaned up",
        "skipped; see all of it with 'berth receive 1..2 --from-start'"}) {
    EXPECT_TRUE(absl::StrContains(run.output(), text)) << text << shown;
  }
  auto expected = Process::Run({.argv = {"/usr/bin/seq", "1", "3000000"}});
  ASSERT_TRUE(expected.ok());
  for (const char* id : {"1", "2"}) {
    const std::string all = fleet_->Run({"receive", id, "--from-start"});
    EXPECT_TRUE(absl::StartsWith(all, expected->out)) << all.size();
    EXPECT_TRUE(absl::EndsWith(all, "cleaned up\n")) << all.size();
  }
}

TEST_F(InterruptTest, OutputForAProgramIsNeverSkipped) {
  auto run = Process::Start(
      FarCommand({"run", "-s", "1", "--",
                  "trap 'echo end' INT; head -c 3M /dev/zero; sleep 1000"}));
  ASSERT_TRUE(run.ok()) << run.status();
  ASSERT_TRUE(run->ReadExactly(1 << 20).ok());
  kill(run->pid(), SIGINT);
  auto rest = run->ReadToEnd(absl::Seconds(60));
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_TRUE(absl::StartsWith(*rest, std::string(2 << 20, '\0')));
  EXPECT_TRUE(absl::EndsWith(*rest, "end\n")) << rest->size();
}

TEST_F(InterruptTest, EnterHasItsPromptBackAtOnce) {
  TtyProgram enter(FarCommand({"enter", "1"}));
  enter.WaitForLine("$");
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < kTries && best > limit(); ++i) {
    const size_t before = enter.output().size();
    enter.Type("yes | sed s/y/flood/\r");
    enter.WaitUntil(
        [&](const auto&) { return enter.output().size() > before + kFlood; },
        "a flood", absl::Seconds(60));
    const absl::Time begin = MonotonicNow();
    enter.Type("\x03");
    enter.WaitUntil(
        [](const TtyProgram::Lines& lines) {
          auto last = std::find_if(lines.rbegin(), lines.rend(),
                                   [](const auto& l) { return !l.empty(); });
          return last != lines.rend() && *last == "$";
        },
        "the prompt");
    const absl::Duration took = MonotonicNow() - begin;
    EXPECT_LT(took, kNever);
    best = std::min(best, took);
  }
  std::printf("enter: %s after Ctrl-C, limit %s\n",
              absl::FormatDuration(best).c_str(),
              absl::FormatDuration(limit()).c_str());
  EXPECT_LE(best, limit());
  enter.Type("\r~.");
  EXPECT_EQ(enter.Wait(), 0);
}

TEST_F(InterruptTest, OtherCommandsOfTheClientDoNotWaitBehindAFlood) {
  fleet_->Run({"new", "-c", "Server01"});
  fleet_->Run({"disconnect", "2"});
  TtyProgram run(FarCommand({"run", "-s", "1", "--", "yes"}));
  run.WaitUntil([&](const auto&) { return run.output().size() > kFlood; },
                "a flood", absl::Seconds(60));
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < kTries; ++i) {
    const absl::Time begin = MonotonicNow();
    EXPECT_EQ(Far({"run", "-s", "2", "--", "true"}).exit_code, 0);
    best = std::min(best, MonotonicNow() - begin);
    run.Look();
  }
  std::printf("another session answers in %s during the flood\n",
              absl::FormatDuration(best).c_str());
  EXPECT_LT(best, absl::Seconds(1));
  run.Type("\x03");
  EXPECT_EQ(run.Wait(), 130);
}

}  // namespace
}  // namespace berth::testing
