// What every kind of shell must do right, each test for each kind.

#include "tests/shell/kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::HasSubstr;
using ::testing::Not;

class KindsTest : public ShellTest,
                  public ::testing::WithParamInterface<const Kind*> {
 protected:
  void SetUp() override {
    Restart(OptionsFor(kind()));
    ASSERT_TRUE(started());
  }

  const Kind& kind() const { return *GetParam(); }
  void ExpectAlive() { Run(kind().print("alive"), {.out = "alive\n"}); }
  std::string Both(const std::string& a, const std::string& b) {
    return StrCat(a, kind().separator, b);
  }
};

// Of those, the kinds that are interpreters on a terminal.
class InterpretersTest : public KindsTest {};

std::string NameOf(const ::testing::TestParamInfo<const Kind*>& info) {
  return info.param->name;
}

INSTANTIATE_TEST_SUITE_P(All, KindsTest,
                         ::testing::Values(&BashKind(), &ZshKind(),
                                           &PythonKind(), &RestrictedKind()),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(All, InterpretersTest,
                         ::testing::Values(&BashKind(), &ZshKind(),
                                           &PythonKind()),
                         NameOf);

// --- Streams and status.

TEST_P(KindsTest, StatusIsExact) {
  for (int status : {0, 1, 7, 126, 255}) {
    Run(kind().fail(status), {.out = "", .status = status});
  }
  Run(kind().print("x"), {.out = "x\n"});
}

TEST_P(KindsTest, StatusOfAChildIsExact) {
  Run(kind().child("echo child; exit 9"), {.out = "child\n", .status = 9});
}

TEST_P(KindsTest, StreamsAreSeparate) {
  Run(kind().print("out"), {.out = "out\n"});
  Run(kind().print_error("err"), {.out = "", .err = "err\n"});
  Run(kind().child("echo out; echo err >&2"), {.out = "out\n", .err = "err\n"});
}

TEST_P(KindsTest, OutputIsExactAtTheEnd) {
  std::string out;
  std::string err;
  for (int i = 0; i < 10000; ++i) {
    out += "0123456789\n";
    err += "error\n";
  }
  Repeat([&](int) { Run(kind().big_output, {.out = out, .err = err}); });
}

TEST_P(KindsTest, InputIsExact) {
  std::string input;
  for (int i = 0; i < 100000; ++i) input.push_back(static_cast<char>(i * 7));
  Repeat([&](int) {
    Run(kind().copy_input, {.out = input, .input = input});
    Run(kind().child("cat"), {.out = input, .input = input});
  });
}

TEST_P(KindsTest, WithoutInputThereIsAnEndOfFile) {
  Run(kind().copy_input, {.out = ""});
  Run(kind().child("cat"), {.out = ""});
}

TEST_P(KindsTest, InputThatIsLeftIsNotTheNextRuns) {
  Run(kind().print("x"), {.out = "x\n", .input = "left\n"});
  Run(kind().child("head -c 1"), {.out = "l", .input = "left\n"});
  Run(kind().copy_input, {.out = ""});
  Run(kind().copy_input, {.out = "next", .input = "next"});
}

TEST_P(KindsTest, LateOutputOfAChildIsOfItsRun) {
  Result result = Run(kind().child("(sleep 0.2; echo late) & echo first"),
                      {.out = "first\n"});
  Run(kind().child("sleep 0.4; echo second"), {.out = "second\n"});
  auto logged = session().ReadLog(result.sequence, 0, 11);
  if (!Check(logged.status())) return;
  EXPECT_EQ(logged->out, "first\nlate\n");
}

TEST_P(KindsTest, ManyRunsInARow) {
  for (int i = 0; i < 200; ++i) {
    Run(kind().print(StrCat("run ", i)), {.out = StrCat("run ", i, "\n")});
  }
}

// --- Interrupting.

TEST_P(KindsTest, ChildIsInterrupted) {
  Repeat([&](int) {
    uint64_t sequence = Begin(kind().child("echo on; sleep 1000; echo NOT"));
    Check(session().WaitOutput(sequence, "on"));
    Interrupt(sequence);
    Result result =
        Finish(sequence, {.out = "on\n", .status = kAny, .err = kAny});
    EXPECT_EQ(result.how, How::kInterrupted);
    ExpectAlive();
  });
}

TEST_P(KindsTest, TimeoutEndsARun) {
  Submission submission;
  submission.script = kind().child("sleep 1000");
  submission.timeout = absl::Milliseconds(100);
  auto result = session().Run(submission);
  if (!Check(result.status())) return;
  EXPECT_EQ(result->how, How::kTimedOut);
  ExpectAlive();
}

TEST_P(KindsTest, ChildThatIgnoresInterruptsIsEnded) {
  uint64_t sequence =
      Begin(kind().child("trap : INT; echo on; while :; do sleep 1; done"));
  Check(session().WaitOutput(sequence, "on"));
  Interrupt(sequence, /*force=*/true);
  Finish(sequence, {.out = kAny, .status = kAny, .err = kAny});
  ExpectAlive();
}

TEST_P(KindsTest, InterruptThatComesLateChangesNothing) {
  Repeat([&](int i) {
    uint64_t sequence = Begin(kind().print(StrCat(i)));
    Interrupt(sequence);
    Finish(sequence, {.out = kAny, .status = kAny, .err = kAny});
    ExpectAlive();
  });
}

// --- The end.

TEST_P(KindsTest, SessionEndsWithAllThatItRuns) {
  Begin(kind().child("sleep 1000 & sleep 1000"));
  End();
}

// --- Interpreters.

TEST_P(InterpretersTest, StateIsKept) {
  Run(kind().set("x", "kept"), {.out = ""});
  Run(kind().get("x"), {.out = "kept\n"});
}

TEST_P(InterpretersTest, RunsAndTypedLinesShareState) {
  Repeat([&](int i) {
    Run(kind().set("x", StrCat("run", i)), {.out = ""});
    size_t from = session().terminal().size();
    TypeLine(kind().get("x"));
    ExpectPrinted(from, StrCat("run", i));
    TypeLine(kind().set("y", StrCat("typed", i)));
    Run(kind().get("y"), {.out = StrCat("typed", i, "\n")});
  });
}

TEST_P(InterpretersTest, DirectoryIsReported) {
  Result result = Run(kind().change_to_usr, {.out = ""});
  EXPECT_EQ(result.cwd, "/usr");
  EXPECT_EQ(session().state().cwd(), "/usr");
  Run(kind().child("pwd"), {.out = "/usr\n"});
}

TEST_P(InterpretersTest, WhatCannotBeParsedIsAnErrorOfTheRun) {
  Result result = Run(kind().wrong,
                      {.out = "", .status = kind().wrong_status, .err = kAny});
  EXPECT_NE(result.err, "");
  ExpectAlive();
}

TEST_P(InterpretersTest, HalfTypedLineIsKept) {
  Repeat([&](int i) {
    std::string line = kind().print(StrCat("half", i));
    TypePart(line.substr(0, 5));
    Run(kind().print("run"), {.out = "run\n"});
    Run(kind().child("echo child"), {.out = "child\n"});
    size_t from = session().terminal().size();
    TypeUntilPrompt(line.substr(5) + "\n");
    ExpectPrinted(from, StrCat("half", i));
  });
}

TEST_P(InterpretersTest, RunsWaitForWhatWasTyped) {
  Repeat([&](int) {
    uint64_t prompts = session().prompts();
    Type(kind().typed_wait);
    Check(session().WaitState(State::TERMINAL));
    uint64_t first = Queue(kind().print("first"));
    uint64_t second = Queue(kind().print("second"));
    session().Idle(absl::Milliseconds(50));
    EXPECT_FALSE(session().command(first).started);
    Type(kind().typed_answer);
    Check(session().WaitPrompt(prompts));
    Finish(first, {.out = "first\n"});
    Finish(second, {.out = "second\n"});
  });
}

TEST_P(InterpretersTest, EnterAndARunAtTheSameTime) {
  Repeat([&](int i) {
    TypePart(kind().set("z", StrCat("typed", i)));
    Type("\n");
    Submission submission;
    submission.script = kind().get("z");
    auto result = session().Run(submission);
    if (!Check(result.status())) return;
    EXPECT_EQ(result->status, 0) << result->err;
    // Which of both was first is open, but nothing is lost.
    Run(kind().get("z"), {.out = StrCat("typed", i, "\n")});
  });
}

TEST_P(InterpretersTest, LoopIsInterrupted) {
  Repeat([&](int) {
    uint64_t sequence = Begin(Both(kind().print("on"), kind().loop));
    Check(session().WaitOutput(sequence, "on"));
    Interrupt(sequence);
    Result result =
        Finish(sequence, {.out = "on\n", .status = 130, .err = kAny});
    EXPECT_EQ(result.how, How::kInterrupted);
    ExpectAlive();
  });
}

TEST_P(InterpretersTest, SleepIsInterruptedAndTheHalfTypedLineKept) {
  Repeat([&](int i) {
    std::string line = kind().print(StrCat("half", i));
    TypePart(line.substr(0, 5));
    uint64_t sequence = Begin(Both(kind().print("on"), kind().sleep));
    Check(session().WaitOutput(sequence, "on"));
    Interrupt(sequence);
    Finish(sequence, {.out = "on\n", .status = 130, .err = kAny});
    size_t from = session().terminal().size();
    TypeUntilPrompt(line.substr(5) + "\n");
    ExpectPrinted(from, StrCat("half", i));
  });
}

TEST_P(InterpretersTest, CtrlCInterruptsTheRun) {
  uint64_t sequence = Begin(Both(kind().print("on"), kind().loop));
  Check(session().WaitOutput(sequence, "on"));
  Type("\x03");
  Finish(sequence, {.out = "on\n", .status = 130, .err = kAny});
  ExpectAlive();
}

TEST_P(InterpretersTest, ExitEndsTheRunAlone) {
  Repeat([&](int) {
    Result result =
        Run(Both(kind().print("x"), kind().exit), {.out = "x\n", .status = 3});
    EXPECT_EQ(result.how, How::kExited);
    ExpectAlive();
  });
}

TEST_P(InterpretersTest, ExitEndsTheSessionIfThatIsAskedFor) {
  Submission submission;
  submission.script = Both(kind().print("x"), kind().exit);
  submission.exit_ends_session = true;
  auto result = session().Run(submission);
  if (!Check(result.status())) return;
  EXPECT_EQ(result->how, How::kShellEnded);
  EXPECT_EQ(result->status, 3);
  EXPECT_EQ(result->out, "x\n");
  Check(session().WaitGone());
}

TEST_P(InterpretersTest, TypedExitEndsTheSession) {
  Type(kind().typed_exit);
  Check(session().WaitGone());
}

TEST_P(InterpretersTest, RunThatReplacesTheShell) {
  uint64_t sequence = Begin(kind().become_sleep);
  Check(session().WaitUntil(
      [&] {
        session().Idle(absl::Milliseconds(1));
        return ProcessName(session().shell_pid()) == "sleep";
      },
      "the exec"));
  Interrupt(sequence);
  Finish(sequence, {.status = 130, .err = kAny});
  Check(session().WaitGone());
}

TEST_P(InterpretersTest, KilledShellEndsTheRun) {
  uint64_t sequence = Begin(kind().child("kill -9 $PPID"));
  Result result = Finish(sequence, {.status = 137});
  EXPECT_EQ(result.how, How::kShellEnded);
  Check(session().WaitGone());
}

TEST_P(InterpretersTest, StoppedShellGoesOn) {
  kill(session().shell_pid(), SIGSTOP);
  Run(kind().print("on"), {.out = "on\n"});
}

TEST_P(InterpretersTest, ChildrenGetNothingOfTheServing) {
  std::string listed = Run(kind().child("env; ls -l /proc/self/fd"), {}).out;
  EXPECT_THAT(listed, Not(HasSubstr("BERTH")));
  EXPECT_THAT(listed, Not(HasSubstr("socket:")));
  EXPECT_THAT(listed, Not(HasSubstr(" 4 ->")));
}

}  // namespace
}  // namespace berth::testing
