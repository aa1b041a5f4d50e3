// Runs and a person at the terminal, at the same time: what is half typed
// stays, what is in the foreground is left alone, and no run comes between the
// parts of what was typed.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <termios.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/unique_fd.h"
#include "tests/shell/shell_test.h"
#include "tests/support/proc.h"
#include "tests/support/screen.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class HumanTest : public ShellTest {
 protected:
  // Where the terminal's output ends now.
  size_t Here() {
    if (!HasFailure()) Check(session().Flush());
    return session().terminal().size();
  }

  // Lets a program that reads the fifo `name` come to its end.
  void OpenGate(const std::string& name) {
    std::string gate = session().home() + "/" + name;
    Check(session().WaitUntil(
        [&] {
          session().Idle(absl::Milliseconds(1));
          // Fails as long as nobody reads.
          return UniqueFd(open(gate.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC))
              .valid();
        },
        "a reader of the gate"));
  }

  Screen ScreenFrom(size_t from) {
    Here();
    return Render(session().terminal().substr(from));
  }

  // Types half a line, runs `script` meanwhile, and completes the line.
  void RunInAHalfTypedLine(const std::string& script, std::optional<int> status,
                           int i) {
    size_t from = Here();
    TypePart("echo ha");
    Run(script, {.status = status, .err = kAny});
    Run("echo mid", {.out = "mid\n"});
    TypeUntilPrompt(StrCat("lf", i, "\n"));
    ExpectPrinted(from, StrCat("half", i));
  }
};

TEST_F(HumanTest, HalfTypedLineStaysAndCanBeEdited) {
  Repeat([&](int i) {
    size_t from = Here();
    TypePart("echo abXcd");
    Run(StrCat("cd /tmp; echo r", i), {.out = StrCat("r", i, "\n")});
    EXPECT_THAT(ScreenFrom(from).lines, Contains(HasSubstr("echo abXcd")));
    TypeUntilPrompt("\x02\x02\x7fY\n");  // Left, left, erase.
    ExpectPrinted(from, "abYcd");
  });
}

TEST_F(HumanTest, HalfTypedLineSurvivesSyntaxErrors) {
  const char* scripts[] = {"if then fi", "echo \"abc", "cat <<X\nabc",
                           "case x in", "( echo"};
  Repeat([&](int i) {
    for (const char* script : scripts) RunInAHalfTypedLine(script, kAny, i);
  });
}

TEST_F(HumanTest, HalfTypedLineSurvivesARunThatExits) {
  Repeat(
      [&](int i) { RunInAHalfTypedLine("f() { local q; exit 7; }; f", 7, i); });
}

TEST_F(HumanTest, HalfTypedLineSurvivesSetE) {
  Repeat([&](int i) {
    RunInAHalfTypedLine("set -e; false; echo NOT", 1, i);
    TypeLine("set +e");
  });
}

TEST_F(HumanTest, HalfTypedLineIsDrawnAgainAfterOutputToTheTerminal) {
  Repeat([&](int) {
    TypePart("echo hal");
    size_t from = Here();
    Run("echo NOTICE >/dev/tty", {.out = ""});
    Check(session().WaitTerminal("echo hal", from));
    Here();
    Screen screen = Render("$ echo hal" + session().terminal().substr(from));
    EXPECT_THAT(screen.lines.at(screen.row), HasSubstr("echo hal"));
    EXPECT_GE(screen.column, std::string("echo hal").size());
    TypeUntilPrompt("f\n");
    ExpectPrinted(from, "half");
  });
}

// --- Commands of several lines, of which the first is typed.

struct Lines {
  const char* name;
  const char* first;
  const char* rest;
  const char* printed;
};

class HalfTypedCommandTest : public HumanTest,
                             public ::testing::WithParamInterface<Lines> {
 protected:
  // Types the first line, and the rest once the run waits behind it.
  uint64_t QueueBehind(const std::string& script) {
    from_ = Here();
    Type(GetParam().first);
    if (!HasFailure()) {
      Check(session().WaitState(State::TERMINAL));
      Check(session().WaitTerminal("> ", from_));
    }
    uint64_t sequence = Queue(script);
    EXPECT_FALSE(session().command(sequence).started);
    prompts_ = session().prompts();
    Type(GetParam().rest);
    return sequence;
  }

  void ExpectCommandRan() {
    if (!HasFailure()) Check(session().WaitPrompt(prompts_));
    Here();
    ExpectPrinted(from_, GetParam().printed);
  }

  size_t from_ = 0;
  uint64_t prompts_ = 0;
};

TEST_P(HalfTypedCommandTest, RunWaitsForItsEnd) {
  Repeat([&](int) {
    uint64_t sequence = QueueBehind(
        "for z in 1 2; do case $z in 2) echo \"x $z\";; esac; done");
    Finish(sequence, {.out = "x 2\n"});
    ExpectCommandRan();
  });
}

TEST_P(HalfTypedCommandTest, RunBehindItCanBeInterrupted) {
  const char* scripts[] = {"sleep 9", "while :; do :; done"};
  Repeat([&](int i) {
    uint64_t sequence = QueueBehind(scripts[i % 2]);
    if (!HasFailure()) Check(session().WaitStarted(sequence));
    session().Idle(absl::Milliseconds(10));
    Interrupt(sequence);
    Finish(sequence, {.status = 130, .err = kAny});
    ExpectCommandRan();
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, HalfTypedCommandTest,
    ::testing::Values(
        Lines{"Loop", "for q in 1 2\n", "do echo \"q$q\"; done\n", "q1\r\nq2"},
        Lines{"HereDocument", "cat <<EOX\nl1\n", "l2\nEOX\n", "l1\r\nl2"},
        Lines{"Quotes", "echo \"a\n", "b\"\n", "a\r\nb"},
        Lines{"AndList", "echo a &&\n", "echo b\n", "a\r\nb"},
        Lines{"Function", "f() {\n", "echo F; }; f\n", "F"},
        Lines{"Substitution", "x=$(echo a\n", "echo b); echo \"$x\"\n",
              "a\r\nb"},
        Lines{"Backslash", "echo a\\\n", "b\n", "ab"},
        Lines{"Case", "case x in\n", " x) echo cx;; esac\n", "cx"}),
    [](const auto& info) { return std::string(info.param.name); });

// --- Readline in the middle of something.

TEST_F(HumanTest, RunDuringAHistorySearch) {
  Repeat([&](int i) {
    TypeLine(StrCat("echo findme", i));
    size_t from = Here();
    Check(session().TypeAndWaitRead(StrCat("\x12", "findme", i)));
    Run("echo r", {.out = "r\n"});
    TypeUntilPrompt("\r");
    ExpectPrinted(from, StrCat("findme", i));
  });
}

TEST_F(HumanTest, RunDuringAQuotedInsert) {
  Repeat([&](int) {
    size_t from = Here();
    // After ^V the next key is taken as it is, also one that comes after a run.
    Check(session().TypeAndWaitRead("echo a\x16"));
    Run("echo r", {.out = "r\n"});
    TypeUntilPrompt(
        "\x02"
        "bc | od -An -c\n");
    EXPECT_THAT(Printed(from), HasSubstr("a 002   b   c"));
  });
}

TEST_F(HumanTest, RunDuringViCommandMode) {
  TypeLine("set -o vi");
  Repeat([&](int i) {
    size_t from = Here();
    TypePart("echo abc");
    Run("echo r", {.out = "r\n"});
    Check(session().TypeAndWaitRead("\x1b"));
    // Readline waits half a second for more of an escape sequence.
    if (i % 4 == 0) session().Idle(absl::Milliseconds(600));
    Run("echo r2", {.out = "r2\n"});
    TypeUntilPrompt("x\n");  // Deletes the character under the cursor.
    ExpectPrinted(from, "ab");
  });
}

// --- Programs in the foreground.

TEST_F(HumanTest, RunWaitsForAProgramThatReadsTheTerminal) {
  Repeat([&](int i) {
    size_t from = Here();
    uint64_t prompts = session().prompts();
    Type("cat\n");
    Check(session().WaitForeground("cat"));
    uint64_t sequence = Queue(StrCat("echo r", i));
    Type("hello\n");
    Check(session().WaitTerminal("hello\r\nhello\r\n", from));
    EXPECT_FALSE(session().command(sequence).started) << "ran beside cat";
    Type("\x04");
    Check(session().WaitPrompt(prompts));
    Finish(sequence, {.out = StrCat("r", i, "\n")});
    EXPECT_EQ(ScreenFrom(from).Count("hello"), 2u);
  });
}

TEST_F(HumanTest, RunWaitsForAnEditor) {
  std::string file = session().home() + "/edited";
  Repeat([&](int i) {
    unlink(file.c_str());
    uint64_t prompts = session().prompts();
    size_t from = Here();
    Type("vim -u NONE -n ~/edited\n");
    Check(session().WaitForeground("vim"));
    Check(session().WaitTerminal("[New", from));
    Check(session().TypeAndWaitRead("iabc"));
    uint64_t sequence = Queue(StrCat("echo r", i));
    Check(session().TypeAndWaitRead("def"));
    Check(session().TypeAndWaitRead("\x1b"));
    EXPECT_FALSE(session().command(sequence).started) << "ran beside vim";
    Type(":wq\r");
    Check(session().WaitPrompt(prompts));
    Finish(sequence, {.out = StrCat("r", i, "\n")});
    EXPECT_EQ(ReadTextFile(file), "abcdef\n");
  });
}

TEST_F(HumanTest, RunThatComesAsEnterIsPressed) {
  Repeat([&](int) {
    size_t from = Here();
    Type("cat -v\n");
    session().Idle(absl::Microseconds(Random(6'000)));
    Submission submission;
    submission.script = "echo r";
    auto sequence = session().Submit(submission);
    if (!Check(sequence.status())) return;
    Check(session().WaitForeground("cat"));
    Type("x\n");
    Check(session().WaitTerminal("x\r\nx\r\n", from));
    TypeUntilPrompt("\x04");
    Finish(*sequence, {.out = "r\n"});
    EXPECT_EQ(ScreenFrom(from).Count("x"), 2u);
    // cat -v would show what was meant for readline.
    EXPECT_THAT(
        absl::StrReplaceAll(session().terminal().substr(from), {{"\x1b", ""}}),
        Not(HasSubstr("^[")));
  });
}

TEST_F(HumanTest, RunDoesNotSplitAListThatWasTyped) {
  Run("mkfifo ~/gate1 ~/gate2");
  Repeat([&](int) {
    Run("UV=0");
    uint64_t prompts = session().prompts();
    Type("UV=1; cat ~/gate1; UV=2; cat ~/gate2; UV=3\n");
    Check(session().WaitForeground("cat"));
    uint64_t sequence = Queue("echo $UV");
    OpenGate("gate1");
    OpenGate("gate2");
    Check(session().WaitPrompt(prompts));
    Finish(sequence, {.out = "3\n"});
  });
}

TEST_F(HumanTest, ControlCAtThePromptClearsTheLine) {
  Repeat([&](int i) {
    TypePart("garbage");
    TypeUntilPrompt("\x03");
    Run("echo r", {.out = "r\n"});
    size_t from = Here();
    TypeLine(StrCat("echo ok", i));
    ExpectPrinted(from, StrCat("ok", i));
  });
}

TEST_F(HumanTest, ControlZAndForeground) {
  Repeat([&](int) {
    Type("sleep 40\n");
    Check(session().WaitForeground("sleep"));
    TypeUntilPrompt("\x1a");
    EXPECT_THAT(Run("jobs").out, HasSubstr("Stopped"));
    Type("fg\n");
    Check(session().WaitForeground("sleep"));
    TypeUntilPrompt("\x03");
    Run("jobs", {.out = ""});
  });
}

// --- The terminal itself.

TEST_F(HumanTest, InterruptedRunLeavesTheTerminalsModesRight) {
  Repeat([&](int) {
    TypePart("echo ab");
    uint64_t sequence = Begin("sleep 30");
    Interrupt(sequence);
    Finish(sequence, {.status = 130, .err = kAny});
    auto modes = session().TerminalModes();
    if (!Check(modes.status())) return;
    EXPECT_EQ(modes->c_lflag & (ICANON | ECHO), 0u) << "not readline's modes";
    TypeUntilPrompt("c\x03");
    Type("cat\n");
    Check(session().WaitForeground("cat"));
    modes = session().TerminalModes();
    if (!Check(modes.status())) return;
    EXPECT_EQ(modes->c_lflag & (ICANON | ECHO),
              static_cast<tcflag_t>(ICANON | ECHO))
        << "cat got a raw terminal";
    TypeUntilPrompt("\x03");
  });
}

TEST_F(HumanTest, ResizeReachesTheShell) {
  Repeat([&](int i) {
    uint32_t columns = 60 + i % 40, rows = 20 + i % 9;
    Check(session().Resize(rows, columns));
    Check(session().Sync());
    EXPECT_THAT(TypeLine("echo \"<$COLUMNS>\""),
                HasSubstr(StrCat("<", columns, ">")));
    Run("echo $COLUMNS; stty size </dev/tty",
        {.out = absl::StrFormat("%d\n%d %d\n", columns, rows, columns)});
  });
}

TEST_F(HumanTest, CompletionWorksAfterARun) {
  Repeat([&](int) {
    size_t from = Here();
    TypePart("ls /usr/sh");
    Run("true");
    Type("\t");
    Check(session().WaitTerminal("are/", from));
    TypeUntilPrompt(
        "\x01\x0b"
        "echo done\n");
    ExpectPrinted(from, "done");
  });
}

TEST_F(HumanTest, BigOutputOfARunDoesNotDisturbTheLine) {
  Repeat([&](int) {
    size_t from = Here();
    TypePart("echo q");
    EXPECT_EQ(Run("head -c 300000 /dev/zero").out.size(), 300'000u);
    TypeUntilPrompt("w\n");
    ExpectPrinted(from, "qw");
  });
}

TEST_F(HumanTest, RunThatUsesReadlineItselfKeepsTheLine) {
  Repeat([&](int) {
    size_t from = Here();
    TypePart("echo kee");
    uint64_t sequence =
        Begin("read -e -p 'name? ' nm </dev/tty; echo \"got $nm\"");
    Check(session().WaitOutput(sequence, "name? "));
    // The holder keeps what is typed until the run has ended, so the answer has
    // to come from elsewhere.
    absl::Status injected = session().Inject("bob\n");
    if (absl::IsUnimplemented(injected)) {
      Interrupt(sequence);
      Finish(sequence, {.status = kAny, .err = kAny});
      GTEST_SKIP() << injected;
    }
    Check(injected);
    Result result = Finish(sequence, {.err = kAny});
    EXPECT_THAT(result.out, HasSubstr("got bob"));
    TypeUntilPrompt("p1\n");
    ExpectPrinted(from, "keep1");
  });
}

// --- Typing while a run executes.

TEST_F(HumanTest, WhatIsTypedDuringARunReachesTheShellAfterIt) {
  Repeat([&](int i) {
    size_t from = Here();
    uint64_t sequence = Begin("read -t 0.05 x </dev/tty; echo \"got <$x>\"");
    TypeUntilPrompt(StrCat("echo typed", i, "\n"));
    Finish(sequence, {.out = "got <>\n", .status = kAny});
    ExpectPrinted(from, StrCat("typed", i));
  });
}

TEST_F(HumanTest, ControlCTypedDuringARunInterruptsIt) {
  Repeat([&](int) {
    uint64_t sequence = Begin("sleep 30; echo NOT");
    Type("\x03");
    Result result = Finish(sequence, {.out = "", .status = 130, .err = kAny});
    EXPECT_EQ(result.how, How::kInterrupted);
    Run("echo alive", {.out = "alive\n"});
  });
}

}  // namespace
}  // namespace berth::testing
