// Interrupting a run ends it, whatever it does, and nothing else: state, the
// session and what is half typed at the terminal stay.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr absl::Duration kSoon = absl::Milliseconds(1500);

class SignalTest : public ShellTest {
 protected:
  void ExpectAlive() { Run("echo alive", {.out = "alive\n"}); }

  // Waits until the run has printed "ready", which is where it can be hit.
  uint64_t BeginReady(const std::string& script) {
    uint64_t sequence = Begin(script);
    if (!HasFailure()) Check(session().WaitOutput(sequence, "ready"));
    return sequence;
  }

  void SetUp() override {
    ShellTest::SetUp();
    if (HasFailure()) return;
    WriteTextFile(session().home() + "/src", "sleep 5\necho NOT\n");
    Run("mkfifo ~/never");
  }

  // Interrupts the run at one of several moments.
  Result InterruptRun(const std::string& script, int i) {
    Run(StrCat("KEEP=", i));
    uint64_t sequence = BeginReady("echo ready; " + script);
    session().Idle(absl::Milliseconds(7 * (i % 4)));
    absl::Time start = absl::Now();
    Interrupt(sequence);
    Result result = Finish(sequence, {.status = 130, .err = kAny});
    EXPECT_LT(absl::Now() - start, kSoon);
    EXPECT_EQ(result.how, How::kInterrupted);
    EXPECT_THAT(result.out, Not(HasSubstr("NOT")));
    Run("echo $KEEP", {.out = StrCat(i, "\n")});
    return result;
  }
};

TEST_F(SignalTest, StatusOfAKilledChildIs128AndTheSignal) {
  Repeat([&](int) {
    Run("sh -c 'kill -9 $$'", {.status = 137, .err = kAny});
    Run("sh -c 'kill -SEGV $$'", {.status = 139, .err = kAny});
    Run("(kill -TERM $BASHPID)", {.status = 143, .err = kAny});
  });
}

TEST_F(SignalTest, ShellThatKillsItselfEndsRunAndSession) {
  RepeatFresh([&](int) {
    Result result =
        Run("echo a; kill -9 $$; sleep 1", {.out = "a\n", .status = 137});
    EXPECT_EQ(result.how, How::kShellEnded);
    Check(session().WaitGone());
  });
}

// --- Each of these must end with 130, and not go on after what was hit.

struct Victim {
  const char* name;
  const char* script;
};

class InterruptTest : public SignalTest,
                      public ::testing::WithParamInterface<Victim> {};

TEST_P(InterruptTest, EndsTheRunAndKeepsTheState) {
  Repeat([&](int i) { InterruptRun(GetParam().script, i); });
}

INSTANTIATE_TEST_SUITE_P(
    All, InterruptTest,
    ::testing::Values(
        Victim{"Child", "sleep 30; echo NOT"},
        Victim{"SecondLine", "sleep 30\necho NOT\necho NOT2"},
        Victim{"BuiltinLoop", "while :; do :; done\necho NOT"},
        Victim{"LoopOfChildren", "while :; do sleep 0.003; done; echo NOT"},
        Victim{"Pipeline", "sleep 30 | cat | cat; echo NOT"},
        Victim{"CommandSubstitution", "x=$(sleep 30; echo 1); echo NOT"},
        Victim{"SubshellInAFunction",
               "f() { ( sleep 30 ); echo NOT; }; f; echo NOT"},
        Victim{"ReadBuiltin",
               "exec 8<>~/never; read -r x <&8; "
               "echo NOT"},
        Victim{"Eval", "eval 'sleep 30'; echo NOT"},
        Victim{"SourcedFile", ". ~/src; echo NOT"},
        Victim{"PipelineIntoALoop", "yes | while read x; do :; done; echo NOT"},
        Victim{"Mapfile", "mapfile a < <(sleep 30); echo NOT"},
        Victim{"ArithmeticLoop", "for ((;;)); do sleep 0.001; done; echo NOT"},
        Victim{"Flood", "yes"},
        Victim{"FloodOfABuiltin", "while :; do echo flood; done; echo NOT"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(SignalTest, InterruptEndsAFloodThatIsTaken) {
  Repeat([&](int i) {
    uint64_t sequence = BeginReady("echo ready; yes");
    session().TakeWhileItComes(sequence);
    session().Idle(absl::Milliseconds(3 * (i % 4)));
    absl::Time start = absl::Now();
    Interrupt(sequence);
    Result result = Finish(sequence, {.status = 130, .err = kAny});
    EXPECT_LT(absl::Now() - start, kSoon);
    EXPECT_EQ(result.how, How::kInterrupted);
  });
}

TEST_F(SignalTest, InterruptEndsTheWaitBuiltin) {
  Repeat([&](int i) {
    InterruptRun("sleep 5 & wait; echo NOT", i);
    RunAnyhow("kill %% 2>/dev/null; wait 2>/dev/null; :");
  });
}

TEST_F(SignalTest, InterruptReachesGrandchildren) {
  Repeat([&](int i) {
    std::string tag = StrCat("30.", 100'000 + Random(900'000));
    InterruptRun(StrCat("sh -c 'sleep ", tag, "; :'; echo NOT"), i);
    Check(session().WaitUntil(
        [&] {
          session().Idle(absl::Milliseconds(1));
          return ProcessesWith(tag).empty();
        },
        "the end of the grandchild", kSoon));
  });
}

TEST_F(SignalTest, TrapOfTheScriptHandlesTheInterrupt) {
  Repeat([&](int) {
    uint64_t sequence = BeginReady(
        "trap 'echo cleaned; trap - INT; return 5 2>/dev/null' INT; "
        "echo ready; while :; do sleep 0.01; done");
    Interrupt(sequence);
    if (!HasFailure()) {
      Check(session().WaitOutput(sequence, "cleaned", kSoon));
    }
    Result result = Finish(sequence, {.status = kAny, .err = kAny});
    EXPECT_THAT(result.out, HasSubstr("cleaned"));
    Run("trap - INT; echo alive", {.out = "alive\n"});
  });
}

TEST_F(SignalTest, ForceEndsAScriptThatIgnoresInterrupts) {
  Repeat([&](int) {
    uint64_t sequence =
        BeginReady("trap '' INT; echo ready; while :; do :; done; echo NOT");
    Interrupt(sequence);
    session().Idle(absl::Milliseconds(30));
    EXPECT_FALSE(session().command(sequence).ended) << "it should ignore that";
    absl::Time start = absl::Now();
    Interrupt(sequence, /*force=*/true);
    Result result = Finish(sequence, {.status = kAny, .err = kAny});
    EXPECT_LT(absl::Now() - start, kSoon);
    EXPECT_THAT(result.out, Not(HasSubstr("NOT")));
    Run("trap - INT; echo alive", {.out = "alive\n"});
  });
}

TEST_F(SignalTest, InterruptDoesNotGoOnAfterAChildThatIgnoredIt) {
  Repeat([&](int) {
    uint64_t sequence =
        BeginReady("sh -c \"trap '' INT; echo ready; sleep 30; :\"; echo NOT");
    Interrupt(sequence);
    session().Idle(absl::Milliseconds(20));
    EXPECT_FALSE(session().command(sequence).ended) << "it should ignore that";
    pid_t group = session().Foreground();
    ASSERT_GT(group, 1);
    ASSERT_NE(group, session().shell_pid());
    kill(-group, SIGKILL);
    Result result = Finish(sequence, {.status = kAny, .err = kAny});
    EXPECT_THAT(result.status, AnyOf(130, 137));
    EXPECT_THAT(result.out, Not(HasSubstr("NOT")));
    ExpectAlive();
  });
}

TEST_F(SignalTest, RepeatedInterruptsEndWhatIgnoresThem) {
  uint64_t sequence =
      BeginReady("sh -c \"trap '' INT; echo ready; sleep 30; :\"; echo NOT");
  absl::Time start = absl::Now();
  Interrupt(sequence);
  Result result = Finish(sequence, {.status = kAny, .err = kAny});
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_THAT(result.out, Not(HasSubstr("NOT")));
  ExpectAlive();
}

TEST_F(SignalTest, InterruptAtTheEndOfARunKeepsTheHalfTypedLine) {
  TypeLine("true");
  Repeat([&](int i) {
    size_t from = session().terminal().size();
    TypePart("echo li");
    uint64_t sequence = Begin(StrCat("sleep 0.00", i % 8, "; true"));
    session().Idle(absl::Microseconds(Random(12'000)));
    Interrupt(sequence);
    Finish(sequence, {.status = kAny, .err = kAny});
    TypeUntilPrompt(StrCat("ne", i, "\n"));
    ExpectPrinted(from, StrCat("line", i));
  });
}

// What the interrupt of a run that has already ended must not do: hit the next
// one.
TEST_F(SignalTest, LateInterruptDoesNotHitTheNextRun) {
  Repeat([&](int) {
    Result first = Run("true");
    uint64_t next = Begin("sleep 0.05; echo whole");
    Interrupt(first.sequence);
    Finish(next, {.out = "whole\n"});
  });
}

// --- Interrupts at random moments of everything that can be going on.

TEST_F(SignalTest, InterruptAtAnyMomentEndsAnyRun) {
  const char* scripts[] = {
      "sleep 5 & wait; echo NOT",
      "sleep 5 & wait $!; echo NOT",
      "read x <~/never; echo NOT",
      "x=$(sleep 5); echo NOT",
      "sleep 5; echo NOT",
      "while :; do :; done; echo NOT",
      "for ((;;)); do sleep 0.001; done; echo NOT",
      "sleep 5 | cat; echo NOT",
      "eval 'sleep 5'; echo NOT",
      "(sleep 5; echo NOT); echo NOT",
      ". ~/src; echo NOT",
      "yes | while read x; do :; done; echo NOT",
      "coproc sleep 5; wait; echo NOT",
      "trap 'echo T' USR1; sleep 5; echo NOT",
      "f() { sleep 5; echo NOT; }; f; echo NOT",
      "mapfile a < <(sleep 5); echo NOT",
      "exec 9<> <(:); read -t 5 x <&9; echo NOT",
      "select x in a b; do :; done <~/never; echo NOT",
      "time sleep 5; echo NOT",
      "nosuchcommand 2>/dev/null; sleep 5; echo NOT",
      "printf '%s' {1..300000} >/dev/null; while :; do :; done",
  };
  Repeat([&](int) {
    for (const char* script : scripts) {
      SCOPED_TRACE(script);
      uint64_t sequence = Begin(script);
      session().Idle(absl::Microseconds(Random(6'000)));
      Interrupt(sequence);
      Result result = Finish(sequence, {.status = kAny, .err = kAny});
      EXPECT_THAT(result.out, Not(HasSubstr("NOT")));
      if (HasFailure()) return;
    }
    RunAnyhow("kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; trap - USR1");
  });
}

}  // namespace
}  // namespace berth::testing
