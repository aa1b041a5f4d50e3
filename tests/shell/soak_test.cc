// Everything at once, at random: a person who types lines of several kinds in
// pieces and resizes the terminal, and runs that succeed, fail, exit, print
// much, leave children behind, never end, and are interrupted. Each result is
// checked, and each line typed must have been executed once, in order.
//
// BERTH_SOAK_SECONDS (default 5) and BERTH_SUITE_SEED (default 1).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kMostRuns = 4;   // Submitted and not ended.
constexpr size_t kMostLines = 3;  // Begun or waiting to be typed.

class SoakTest : public ShellTest {
 protected:
  struct Expected {
    std::string script;
    std::optional<std::string> out;
    int status;
    bool endless = false;
    // When to interrupt it, after its start; negative: never.
    absl::Duration interrupt_after = -absl::Seconds(1);
    absl::Time started = absl::Time();
    bool interrupted = false;
  };

  Expected Invent() {
    const int n = ++runs_;
    const std::string token = StrCat("T", n);
    const std::string line = token + "\n";
    const auto zeros = static_cast<size_t>(n * 7919 % 300'000);
    const Expected kinds[] = {
        {"echo " + token, line, 0},
        {StrCat("x=", n, "; (exit ", n % 250, ")"), "", n % 250},
        {StrCat("echo ", token, "; exit 3"), line, 3},
        {StrCat("set -e; echo ", token, "; false; echo NOT"), line, 1},
        {StrCat("head -c ", zeros, " /dev/zero | tr '\\0' z"),
         std::string(zeros, 'z'), 0},
        {StrCat("(sleep 0.02; echo late", token, ") & echo ", token), line, 0},
        {StrCat("echo ", token, "; if then"), std::nullopt, 2},
        {StrCat("for i in 1 2 3; do sleep 0.002; done; echo ", token), line, 0},
        {"while :; do :; done", "", 130, true},
    };
    Expected run = kinds[Random(std::size(kinds))];
    if (run.endless || Random(100) < 12) {
      run.interrupt_after = absl::Microseconds(Random(20'000));
    }
    return run;
  }

  void MaybeSubmit() {
    if (pending_.size() >= kMostRuns || Random(100) >= 35) return;
    Expected run = Invent();
    Submission submission;
    submission.script = run.script;
    auto sequence = session().Submit(submission);
    if (Check(sequence.status())) pending_[*sequence] = std::move(run);
  }

  void MaybeType() {
    if (Random(100) < 20 && keys_.size() < kMostLines) {
      const std::string token = StrCat("H", typed_.size() + 1, "q");
      const std::string lines[] = {
          StrCat("echo ", token, " >>$SO\n"),
          StrCat("for a in 1; do\necho ", token, " >>$SO\ndone\n"),
          StrCat("cat >>$SO <<E\n", token, "\nE\n"),
          StrCat("/bin/echo ", token, " >>$SO\n"),
      };
      keys_.push_back(lines[Random(4)]);
      typed_.push_back(token);
    }
    if (keys_.empty()) return;
    const std::string piece =
        keys_.front().substr(0, static_cast<size_t>(1 + Random(8)));
    keys_.front().erase(0, piece.size());
    if (keys_.front().empty()) keys_.pop_front();
    Type(piece);
  }

  void MaybeResize() {
    const uint32_t widths[] = {80, 100, 132};
    if (Random(100) < 2) Check(session().Resize(24, widths[Random(3)]));
  }

  void Interrupt() {
    for (auto& [sequence, run] : pending_) {
      const HolderSession::Command& command = session().command(sequence);
      if (!command.started || command.ended || run.interrupted ||
          run.interrupt_after < absl::ZeroDuration()) {
        continue;
      }
      if (run.started == absl::Time()) run.started = absl::Now();
      if (absl::Now() - run.started < run.interrupt_after) continue;
      run.interrupted = true;
      ShellTest::Interrupt(sequence);
    }
  }

  void CheckEnded() {
    for (auto it = pending_.begin(); it != pending_.end();) {
      const uint64_t sequence = it->first;
      const Expected& run = it->second;
      if (!session().command(sequence).ended) {
        ++it;
        continue;
      }
      SCOPED_TRACE(run.script);
      Result result = Finish(sequence, {.status = kAny, .err = kAny});
      EXPECT_THAT(result.out, Not(HasSubstr("NOT")));
      if (!run.interrupted) {
        EXPECT_EQ(result.status, run.status) << result.err;
        EXPECT_TRUE(!run.out || result.out == *run.out) << result.out.size();
      }
      it = pending_.erase(it);
      ++ended_;
    }
  }

  std::vector<std::string> Executed() {
    return absl::StrSplit(ReadTextFile(session().home() + "/typed"), '\n',
                          absl::SkipEmpty());
  }

  int runs_ = 0;
  int ended_ = 0;
  std::map<uint64_t, Expected> pending_;
  std::deque<std::string> keys_;
  std::vector<std::string> typed_;
};

TEST_F(SoakTest, EveryRunAndEveryTypedLineComesOutRight) {
  WriteTextFile(session().home() + "/typed", "");
  TypeLine("SO=~/typed");
  const absl::Duration time =
      absl::Seconds(FromEnvironment("BERTH_SOAK_SECONDS", 5));
  const absl::Time end = absl::Now() + time;
  size_t files = 0;
  while (!HasFailure() && absl::Now() < end) {
    MaybeSubmit();
    MaybeType();
    MaybeResize();
    session().Idle(absl::Microseconds(Random(8'000)));
    Interrupt();
    CheckEnded();
    if (files == 0 && ended_ >= 100) files = OpenFiles(session().shell_pid());
  }
  // Let what is begun come to its end.
  while (!keys_.empty() && !HasFailure()) {
    Type(keys_.front());
    keys_.pop_front();
  }
  while (!pending_.empty() && !HasFailure()) {
    Check(session().WaitUntil(
        [&] {
          Interrupt();
          for (const auto& [sequence, run] : pending_) {
            if (session().command(sequence).ended) return true;
          }
          return false;
        },
        "the end of a run", absl::Seconds(20)));
    CheckEnded();
  }
  if (!HasFailure()) {
    Check(session().WaitUntil(
        [&] {
          session().Idle(absl::Milliseconds(5));
          return Executed().size() >= typed_.size();
        },
        "the last typed line"));
  }
  EXPECT_EQ(Executed(), typed_);
  if (files > 0) {
    EXPECT_LE(OpenFiles(session().shell_pid()), files);
  }
  RecordProperty("runs", ended_);
  RecordProperty("lines", static_cast<int>(typed_.size()));
}

}  // namespace
}  // namespace berth::testing
