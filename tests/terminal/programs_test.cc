// Programs that draw the whole screen.

#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"
#include "tests/terminal/terminal_test.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProgramsTest : public TerminalTest {
 protected:
  std::string Home(const std::string& file) {
    return fleet_.directory() + "/home/" + file;
  }

  static bool Installed(const std::string& name) {
    return access(("/usr/bin/" + name).c_str(), X_OK) == 0;
  }
};

TEST_F(ProgramsTest, VimEditsAFile) {
  WriteTextFile(Home("text"), "one\ntwo\n");
  auto terminal = Enter();
  terminal->Type("echo shell-line; vi -u NONE text\r");
  terminal->WaitForLine("one");
  EXPECT_TRUE(terminal->screen().alternate());
  terminal->Type("Gothree\x1b");
  terminal->WaitForLine("three");
  terminal->Resize(12, 60);
  WaitForSize("12 60");
  terminal->Type(":set columns?\r");
  terminal->WaitFor("columns=60");
  terminal->Type(":wq\r");
  terminal->WaitForLine("shell-line");
  EXPECT_FALSE(terminal->screen().alternate());
  EXPECT_EQ(ReadTextFile(Home("text")), "one\ntwo\nthree\n");
  Detach(*terminal);
}

TEST_F(ProgramsTest, VimThatWasLeftOpenIsThereAgain) {
  WriteTextFile(Home("text"), "one\ntwo\n");
  auto terminal = Enter();
  terminal->Type("vi -u NONE text\r");
  terminal->WaitForLine("two");
  terminal->Type("ihalf \x1b");
  terminal->WaitForLine("half one");
  terminal->Type("\r~.");
  EXPECT_EQ(terminal->Wait(), 0);
  ExpectClean(*terminal);
  // A run waits, or is refused, while vim is in front.
  const auto refused =
      fleet_.Berth({"run", "-s", "work", "--no-wait", "--", "true"});
  EXPECT_EQ(refused.exit_code, 125);
  EXPECT_THAT(refused.err, HasSubstr("vi -u NONE text"));
  auto again = Start({"enter", "work"}, "laptop", 30, 70);
  again->WaitForLine("half one");
  again->WaitForLine("two");
  EXPECT_TRUE(again->screen().alternate());
  again->Type(":wq\r");
  again->WaitUntil([&](const auto&) { return !again->screen().alternate(); },
                   "the shell");
  EXPECT_EQ(ReadTextFile(Home("text")), "half one\ntwo\n");
  EXPECT_EQ(Run("echo free"), "free\n");
  Detach(*again);
}

TEST_F(ProgramsTest, TopRefreshesAndEnds) {
  auto terminal = Enter();
  terminal->Type("top\r");
  terminal->WaitFor("load average");
  terminal->WaitFor("PID");
  terminal->Resize(15, 90);
  terminal->WaitFor("load average");
  terminal->Type("q");
  terminal->WaitUntil(
      [](const auto& lines) { return !lines.empty() && lines.back() == "$"; },
      "prompt");
  terminal->Type("echo after\r");
  terminal->WaitForLine("after");
  Detach(*terminal);
}

TEST_F(ProgramsTest, HtopRunsInside) {
  if (!Installed("htop")) GTEST_SKIP() << "htop is not installed";
  auto terminal = Enter();
  terminal->Type("htop\r");
  terminal->WaitFor("F10");
  EXPECT_TRUE(terminal->screen().alternate());
  terminal->Type("q");
  terminal->WaitUntil(
      [&](const auto&) { return !terminal->screen().alternate(); },
      "the shell");
  Detach(*terminal);
}

TEST_F(ProgramsTest, TmuxRunsInside) {
  if (!Installed("tmux")) GTEST_SKIP() << "tmux is not installed";
  auto terminal = Enter();
  terminal->Type("tmux -L berth-test -f /dev/null new -s inner\r");
  terminal->WaitFor("[inner]");
  terminal->Type("echo in-$TMUX_PANE\r");
  terminal->WaitForLine("in-%0");
  terminal->Type("\r~.");
  EXPECT_EQ(terminal->Wait(), 0);
  ExpectClean(*terminal);
  auto again = Start({"enter", "work"}, "laptop", 20, 60);
  again->WaitFor("[inner]");
  again->WaitForLine("in-%0");
  again->Type("\x04");
  again->WaitFor("[exited]");
  Detach(*again);
}

TEST_F(ProgramsTest, ManyLinesArriveInOrder) {
  auto terminal = Enter();
  terminal->Type("seq 1 200000; echo th''e-end\r");
  terminal->WaitForLine("the-end", absl::Seconds(60));
  terminal->WaitForLine("200000");
  EXPECT_THAT(terminal->output(), Not(HasSubstr("199999\r\n199998")));
  Detach(*terminal);
}

}  // namespace
}  // namespace berth::testing
