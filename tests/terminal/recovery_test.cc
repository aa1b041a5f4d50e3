// What is lost when something dies meanwhile: nothing.

#include <signal.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/terminal/terminal_test.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RecoveryTest : public TerminalTest {
 protected:
  // Types half a line, and what goes before it.
  std::unique_ptr<TtyProgram> HalfTyped() {
    auto terminal = Enter();
    terminal->Type("n=0; echo first\r");
    terminal->WaitForLine("first");
    terminal->Type("n=$((n+1)); echo a");
    terminal->WaitFor("echo a");
    return terminal;
  }

  // Completes it: every key was typed once.
  void Complete(TtyProgram& terminal) {
    terminal.Type("-done-$n\r");
    terminal.WaitUntil(
        [](const auto& lines) {
          for (const std::string& line : lines) {
            if (absl::EndsWith(line, "-done-1") &&
                !absl::StrContains(line, "$")) {
              return true;
            }
          }
          return false;
        },
        "the completed line", absl::Seconds(60));
    Detach(terminal);
  }
};

TEST_F(RecoveryTest, TheBrokerIsKilledAndComesBack) {
  auto terminal = HalfTyped();
  fleet_.KillBroker(SIGKILL);
  terminal->WaitFor("connection lost");
  terminal->Type("bc");
  fleet_.StartBroker();
  terminal->WaitFor("echo abc", absl::Seconds(60));
  terminal->WaitGone("connection lost");
  terminal->WaitForLine("first");
  Complete(*terminal);
}

TEST_F(RecoveryTest, TheAgentIsKilledAndComesBack) {
  auto terminal = HalfTyped();
  fleet_.KillAgent("web01", SIGKILL);
  terminal->WaitFor("connection lost");
  terminal->Type("bc");
  fleet_.StartAgent("web01");
  terminal->WaitFor("echo abc", absl::Seconds(60));
  terminal->WaitGone("connection lost");
  Complete(*terminal);
}

TEST_F(RecoveryTest, EscapesWorkWhileTheNetworkIsDead) {
  auto terminal = HalfTyped();
  fleet_.KillBroker(SIGKILL);
  terminal->WaitFor("connection lost");
  terminal->Type("\r~?");
  terminal->WaitFor("detach; the session goes on");
  terminal->Type("~.");
  EXPECT_EQ(terminal->Wait(), 0);
  EXPECT_THAT(terminal->Text(), HasSubstr("[detached from session 'work'"));
  ExpectClean(*terminal);
  fleet_.StartBroker();
  fleet_.WaitFor({"computers", "web01", "-o", "json"}, "COMPUTER_STATE_ONLINE");
  Detach(*Enter());
}

TEST_F(RecoveryTest, AFullScreenProgramIsDrawnAgainAfterwards) {
  auto terminal = Enter();
  terminal->Type("seq 1 500 | less\r");
  terminal->WaitForLine(":");
  EXPECT_TRUE(terminal->screen().alternate());
  fleet_.KillBroker(SIGKILL);
  terminal->WaitFor("connection lost");
  fleet_.StartBroker();
  terminal->WaitGone("connection lost", absl::Seconds(60));
  terminal->WaitForLine("1");
  terminal->WaitForLine(":");
  EXPECT_TRUE(terminal->screen().alternate());
  terminal->Type("q");
  terminal->WaitFor("$");
  Detach(*terminal);
}

TEST_F(RecoveryTest, TheKeeperIsKilled) {
  auto terminal = Enter();
  terminal->Type("seq 1 500 | less\r");
  terminal->WaitForLine(":");
  const pid_t keeper = fleet_.KeeperPid();
  ASSERT_GT(keeper, 0);
  kill(keeper, SIGKILL);
  EXPECT_EQ(terminal->Wait(), 125);
  EXPECT_THAT(terminal->Text(), HasSubstr("the keeper ended unexpectedly"));
  ExpectClean(*terminal);
  // The session has lost nothing.
  auto again = Start({"enter", "work", "--take"});
  again->WaitForLine(":");
  again->Type("q");
  again->WaitFor("$");
  Detach(*again);
}

struct Case {
  const char* name;
  int signal;
  int exit;
};

class SignalTest : public RecoveryTest,
                   public ::testing::WithParamInterface<Case> {};

TEST_P(SignalTest, LeavesTheTerminalClean) {
  auto terminal = Enter();
  terminal->Type("seq 1 500 | less\r");
  terminal->WaitForLine(":");
  kill(terminal->pid(), GetParam().signal);
  EXPECT_EQ(terminal->Wait(), GetParam().exit);
  // What does it may be another process.
  terminal->WaitUntil(
      [&](const auto&) {
        return terminal->Modes().c_lflag == terminal->first_modes().c_lflag &&
               !terminal->screen().alternate();
      },
      "clean terminal");
  ExpectClean(*terminal);
}

INSTANTIATE_TEST_SUITE_P(All, SignalTest,
                         ::testing::ValuesIn<Case>({
                             {"Terminate", SIGTERM, 143},
                             {"HangUp", SIGHUP, 129},
                             {"Interrupt", SIGINT, 130},
                             {"Kill", SIGKILL, 137},
                         }),
                         [](const auto& info) {
                           return std::string(info.param.name);
                         });

TEST_F(RecoveryTest, AHangUpDetaches) {
  auto terminal = HalfTyped();
  terminal->HangUp();
  EXPECT_EQ(terminal->Wait(), 129);
  auto again = Enter({"--take"});
  again->WaitFor("echo a");
  Complete(*again);
}

}  // namespace
}  // namespace berth::testing
