// One person at a session's shell.

#include <signal.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"
#include "tests/terminal/terminal_test.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::HasSubstr;
using ::testing::Not;

class EnterTest : public TerminalTest {};

TEST_F(EnterTest, SharesEverythingWithRun) {
  Run("x=from-run; cd /usr/lib");
  auto terminal = Enter();
  terminal->Type("echo \"[$x]\"; pwd; y=typed\r");
  terminal->WaitForLine("[from-run]");
  terminal->WaitForLine("/usr/lib");
  Detach(*terminal);
  EXPECT_EQ(Run("echo $y"), "typed\n");
}

TEST_F(EnterTest, ShowsWhatWasOnTheScreenBefore) {
  auto terminal = Enter();
  terminal->Type("echo one; echo two; echo half-");
  terminal->WaitFor("echo half-");
  terminal->Type("~.");  // Not at the beginning of a line.
  terminal->WaitFor("half-~.");
  terminal->Type("\r~.");
  EXPECT_EQ(terminal->Wait(), 0);
  auto again = Enter();
  again->WaitForLine("two");
  again->WaitForLine("half-~.");
  EXPECT_THAT(again->Text(), Not(HasSubstr("detached")));
  Detach(*again);
}

TEST_F(EnterTest, TakesTheSizeOfTheTerminalAndItsChanges) {
  auto terminal = Enter({}, "laptop", 31, 97);
  terminal->Type("stty size\r");
  terminal->WaitForLine("31 97");
  terminal->Resize(17, 66);
  WaitForSize("17 66");
  terminal->Type("stty size\r");
  terminal->WaitForLine("17 66");
  Detach(*terminal);
}

TEST_F(EnterTest, ControlKeys) {
  auto terminal = Enter();
  terminal->Type("sleep 1000\r");
  fleet_.WaitFor({"ls", "work", "-o", "json"}, "sleep");
  terminal->Type("\x03");
  terminal->WaitFor("^C");
  terminal->Type("echo status=$?\r");
  terminal->WaitForLine("status=130");
  terminal->Type("sleep 1000\r");
  fleet_.WaitFor({"ls", "work", "-o", "json"}, "sleep");
  terminal->Type("\x1a");
  terminal->WaitFor("Stopped");
  terminal->Type("fg\r");
  terminal->WaitForLine("sleep 1000");
  fleet_.WaitFor({"ls", "work", "-o", "json"}, "sleep");
  terminal->Type("\x1c");
  terminal->WaitFor("Quit");
  terminal->Type("echo status=$?\r");
  terminal->WaitForLine("status=131");
  Detach(*terminal);
}

TEST_F(EnterTest, PastedLinesAreNotRunAndUtf8Passes) {
  auto terminal = Enter();
  terminal->WaitUntil(
      [&](const auto&) {
        return absl::StrContains(terminal->output(), "\x1b[?2004h");
      },
      "bracketed paste");
  terminal->Type("\x1b[200~echo p1 gr\xc3\xbc\xc3\x9f\necho p2\x1b[201~");
  terminal->WaitFor("echo p2");
  EXPECT_THAT(terminal->Text(), Not(HasSubstr("\np1")));
  terminal->Type("\r");
  terminal->WaitForLine("p1 gr\xc3\xbc\xc3\x9f");
  terminal->WaitForLine("p2");
  Detach(*terminal);
}

TEST_F(EnterTest, ALargePasteArrivesWhole) {
  auto terminal = Enter();
  terminal->Type("cat > pasted; cksum < pasted; rm pasted\r");
  fleet_.WaitFor({"ls", "work", "-o", "json"}, "\"cat\"");
  std::string text;
  for (int i = 0; i < 4000; ++i) {
    absl::StrAppend(&text, "line ", i, " of a long text that is pasted\r");
  }
  terminal->Type(text);
  terminal->Type("\x04");
  terminal->WaitFor(StrCat(" ", text.size()), absl::Seconds(60));
  Detach(*terminal);
}

TEST_F(EnterTest, TheShellKnowsTheTerminal) {
  auto terminal = Enter();
  terminal->Type("echo $TERM $(tput colors); tty\r");
  terminal->WaitForLine("xterm-256color 256");
  terminal->WaitFor("/dev/pts/");
  Detach(*terminal);
}

TEST_F(EnterTest, HelpIsShownOverTheScreenAndGoesAway) {
  auto terminal = Enter();
  terminal->Type("echo visible\r");
  terminal->WaitForLine("visible");
  terminal->Type("~?");
  terminal->WaitFor("~.   detach; the session goes on");
  terminal->Type(" ");
  terminal->WaitGone("detach; the session goes on");
  terminal->WaitForLine("visible");
  Detach(*terminal);
}

TEST_F(EnterTest, OtherEscapes) {
  auto terminal = Enter();
  terminal->Type("~~x\r");
  terminal->WaitFor("~x");
  terminal->Type("sleep 1000\r");
  fleet_.WaitFor({"ls", "work", "-o", "json"}, "sleep");
  terminal->Type("~B");
  terminal->WaitFor("^C");
  terminal->Type("\r");
  const size_t before = terminal->output().size();
  terminal->Type("~R");
  terminal->WaitUntil(
      [&](const auto&) {
        return absl::StrContains(terminal->output().substr(before), "\x1b[2J");
      },
      "new screen");
  Detach(*terminal);
}

TEST_F(EnterTest, AnotherEscapeCharacterOrNone) {
  auto terminal = Enter({"--escape", "%"});
  terminal->Type("~.\r");
  terminal->WaitFor("~.");
  terminal->Type("%.");
  EXPECT_EQ(terminal->Wait(), 0);
  auto none = Enter({"--escape", "none", "--exit-ends-session"});
  none->Type("\r~.\r");
  none->WaitFor("$ ~.");
  none->Type("exit 7\r");
  EXPECT_EQ(none->Wait(), 7);
  ExpectClean(*none);
}

TEST_F(EnterTest, SuspendsItselfAndGoesOn) {
  auto terminal = Enter();
  terminal->Type("echo before\r");
  terminal->WaitForLine("before");
  terminal->Type("~\x1a");
  terminal->WaitStopped();
  ExpectClean(*terminal);
  Run("echo meanwhile >/dev/tty");
  EXPECT_THAT(terminal->Text(), Not(HasSubstr("meanwhile")));
  kill(terminal->pid(), SIGCONT);
  terminal->WaitFor("meanwhile");
  terminal->Type("echo after\r");
  terminal->WaitForLine("after");
  Detach(*terminal);
}

// What ends a bash, at the prompt of a session ends the visit.
TEST_F(EnterTest, ExitDetaches) {
  WriteTextFile(fleet_.directory() + "/home/ends", "exit 5\necho not-here\n");
  Run("f() { local y=1; exit 4; }");
  const int pid = fleet_.Session("work").shell_pid();
  int visit = 0;
  for (const char* end : {"exit\r", "exit 3\r", "\x04", "f\r", ". ./ends\r",
                          "eval 'exit 6; echo not-here'\r"}) {
    auto terminal = Enter();
    terminal->Type(StrCat("x=", ++visit, "\r"));
    terminal->Type(end);
    EXPECT_EQ(terminal->Wait(), 0) << end;
    EXPECT_THAT(terminal->Text(), HasSubstr("[detached from session 'work'"));
    EXPECT_THAT(terminal->Text(), Not(HasSubstr("not-here\n")));
    ExpectClean(*terminal);
    EXPECT_EQ(Run("echo $$ ${#FUNCNAME[@]} $y $x"),
              StrCat(pid, " 0 ", visit, "\n"));
  }
  // In a subshell it is that one's end.
  auto terminal = Enter();
  terminal->Type("(exit 9); echo status=$?; bash -c 'exit 8'; echo $?\r");
  terminal->WaitForLine("status=9");
  terminal->WaitForLine("8");
  // With jobs that are stopped bash asks first.
  terminal->Type("sleep 1000\r");
  fleet_.WaitFor({"ls", "work", "-o", "json"}, "sleep");
  terminal->Type("\x1a");
  terminal->WaitFor("Stopped");
  terminal->Type("exit\r");
  terminal->WaitFor("There are stopped jobs.");
  terminal->Type("exit\r");
  EXPECT_EQ(terminal->Wait(), 0);
  EXPECT_THAT(Run("jobs"), HasSubstr("sleep 1000"));
}

TEST_F(EnterTest, ExitEndsTheSessionWhereNobodyVisits) {
  auto terminal = Enter();
  Detach(*terminal);
  const auto ended = fleet_.Berth(
      {"run", "-s", "work", "--exit-ends-session", "--", "exit 3"});
  EXPECT_EQ(ended.exit_code, 3);
  fleet_.WaitForState("work", v1::SESSION_STATE_CLOSED);
}

TEST_F(EnterTest, TheEndOfTheSessionReturnsToTheUser) {
  auto terminal = Enter({"--exit-ends-session"});
  terminal->Type("exit 3\r");
  EXPECT_EQ(terminal->Wait(), 3);
  EXPECT_THAT(terminal->Text(),
              HasSubstr("[session 'work' on web01 ended with status 3]"));
  ExpectClean(*terminal);
}

TEST_F(EnterTest, RemovedMeanwhile) {
  auto terminal = Enter();
  fleet_.Run({"rm", "work"});
  EXPECT_NE(terminal->Wait(), 0);
  EXPECT_THAT(terminal->Text(), HasSubstr("[session 'work' on web01 "));
  ExpectClean(*terminal);
}

TEST_F(EnterTest, ATemporarySessionEndsWithItsVisit) {
  auto terminal = Start({"enter", "-c", "web01"});
  terminal->WaitFor("$");
  terminal->Type("echo here\r");
  terminal->WaitForLine("here");
  terminal->Type("exit 4\r");
  EXPECT_EQ(terminal->Wait(), 4);
  EXPECT_EQ(fleet_.Sessions({}).size(), 1u);  // "work".
  auto another = Start({"enter", "-c", "web01"});
  another->WaitFor("$");
  another->Type("~.");
  EXPECT_EQ(another->Wait(), 0);
  EXPECT_EQ(fleet_.Sessions({}).size(), 1u);
}

TEST_F(EnterTest, NeedsATerminal) {
  const auto finished = fleet_.Berth({"enter", "work"});
  EXPECT_EQ(finished.exit_code, 125);
  EXPECT_THAT(finished.err, HasSubstr("standard input is no terminal; to run "
                                      "something use 'berth run"));
}

TEST_F(EnterTest, SaysWhatIsWrong) {
  auto nobody = Start({"enter", "nosuch"});
  EXPECT_EQ(nobody->Wait(), 125);
  EXPECT_THAT(nobody->Text(), HasSubstr("nosuch"));
  auto both = Start({"enter", "work", "-c", "web01"});
  EXPECT_EQ(both->Wait(), 125);
  auto modes = Start({"enter", "work", "--peek", "--take"});
  EXPECT_EQ(modes->Wait(), 125);
  EXPECT_THAT(modes->Text(), HasSubstr("choose one of"));
}

TEST_F(EnterTest, WorksWithoutAKeeper) {
  auto terminal = Enter({"--no-keeper"});
  terminal->Resize(20, 70);
  WaitForSize("20 70");
  terminal->Type("stty size\r");
  terminal->WaitForLine("20 70");
  terminal->Type("~\x1a");
  terminal->WaitStopped();
  ExpectClean(*terminal);
  kill(terminal->pid(), SIGCONT);
  terminal->Type("echo again\r");
  terminal->WaitForLine("again");
  Detach(*terminal);
}

TEST_F(EnterTest, ARunLeavesAHalfTypedLineAsItWas) {
  auto terminal = Enter();
  terminal->Type("echo abc");
  terminal->WaitFor("$ echo abc");
  EXPECT_EQ(Run("echo quiet; z=1"), "quiet\n");
  terminal->Type("def$z\r");
  terminal->WaitForLine("abcdef1");
  EXPECT_THAT(terminal->Text(), Not(HasSubstr("quiet")));
  Detach(*terminal);
}

TEST_F(EnterTest, LsShowsWhoIsThere) {
  auto terminal = Enter();
  const std::string json =
      fleet_.WaitFor({"ls", "work", "-o", "json"}, "\"terminals\"");
  EXPECT_THAT(json, HasSubstr("client"));
  Detach(*terminal);
}

}  // namespace
}  // namespace berth::testing
