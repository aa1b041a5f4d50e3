#include "agent/shell/shell_state.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::shell {
namespace {

using S = ShellState;
using E = ShellEvent;

struct Case {
  const char* name;
  S from;
  E event;
  S want;
};

class ShellStateTest : public testing::TestWithParam<Case> {};

TEST_P(ShellStateTest, Changes) {
  EXPECT_STREQ(ToString(NextState(GetParam().from, GetParam().event)),
               ToString(GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(
    All, ShellStateTest,
    testing::ValuesIn<Case>({
        {"FirstPrompt", S::kStarting, E::kPrompt, S::kIdle},
        {"BusyBeforeTheFirstPrompt", S::kStarting, E::kBusy, S::kStarting},
        {"UserTypedALine", S::kIdle, E::kBusy, S::kUserBusy},
        {"UsersLineEnded", S::kUserBusy, E::kPrompt, S::kIdle},
        {"RunSent", S::kIdle, E::kRunSent, S::kSent},
        {"RunStarted", S::kSent, E::kRunStarted, S::kRunning},
        {"RunDone", S::kRunning, E::kRunDone, S::kIdle},
        {"StartWasNotSeen", S::kSent, E::kRunDone, S::kIdle},
        {"EnterWon", S::kSent, E::kBusy, S::kOvertaken},
        {"AfterEnterWon", S::kOvertaken, E::kPrompt, S::kSent},
        {"StartedAfterEnterWon", S::kOvertaken, E::kRunStarted, S::kRunning},
        {"WithdrawnBehindTheUser", S::kOvertaken, E::kRunDropped, S::kUserBusy},
        {"WithdrawnAtThePrompt", S::kSent, E::kRunDropped, S::kIdle},
        {"DoneWithoutARun", S::kUserBusy, E::kRunDone, S::kUserBusy},
        {"PromptDuringARun", S::kRunning, E::kPrompt, S::kRunning},
        {"Replaced", S::kUserBusy, E::kChannelClosed, S::kReplaced},
        {"ReplacedByARun", S::kRunning, E::kChannelClosed, S::kReplaced},
        {"ReplacedStaysSo", S::kReplaced, E::kPrompt, S::kReplaced},
        {"ReplacedExits", S::kReplaced, E::kProcessExited, S::kExited},
        {"ExitsWhileStarting", S::kStarting, E::kProcessExited, S::kExited},
        {"ExitedIsTheEnd", S::kExited, E::kChannelClosed, S::kExited},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(HasRunTest, IsTrueFromSentToDone) {
  EXPECT_TRUE(HasRun(S::kSent));
  EXPECT_TRUE(HasRun(S::kOvertaken));
  EXPECT_TRUE(HasRun(S::kRunning));
  EXPECT_FALSE(HasRun(S::kIdle));
  EXPECT_FALSE(HasRun(S::kUserBusy));
  EXPECT_FALSE(HasRun(S::kReplaced));
}

}  // namespace
}  // namespace berth::shell
