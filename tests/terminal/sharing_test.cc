// Several people at one session, and what they find it doing.

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/terminal/terminal_test.h"

namespace berth::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class SharingTest : public TerminalTest {};

TEST_F(SharingTest, ASecondTerminalIsRefusedAndToldWhose) {
  auto first = Enter();
  auto second = Start({"enter", "work"}, "laptop");
  EXPECT_EQ(second->Wait(), 125);
  EXPECT_THAT(second->Text(), HasSubstr("has the terminal of "));
  EXPECT_THAT(second->Text(), ContainsRegex("attached since 20[0-9-]* "));
  EXPECT_THAT(second->Text(), HasSubstr("--take"));
  Detach(*first);
}

TEST_F(SharingTest, TakeDetachesTheOtherAndTellsByWhomAndWhen) {
  auto first = Enter({"--take"}, "desk");
  first->Type("x=1; echo half-typed");
  first->WaitFor("echo half-typed");
  auto second = Enter({"--take"}, "laptop");
  EXPECT_EQ(first->Wait(), 1);
  EXPECT_THAT(first->Text(),
              ContainsRegex("was taken by .* at [0-9][0-9]:[0-9][0-9] UTC"));
  ExpectClean(*first);
  second->WaitFor("echo half-typed");
  second->Type("$x\r");
  second->WaitForLine("half-typed1");
  Detach(*second);
}

TEST_F(SharingTest, PeekSeesAndCannotType) {
  auto first = Enter({"--take"}, "desk");
  auto peek = Enter({"--peek"}, "laptop", 30, 100);
  first->WaitFor(" watches");
  first->Type("stty size; echo marker-$((1+1))\r");
  peek->WaitForLine("marker-2");
  first->WaitForLine("24 80");
  peek->Type("echo never\r");
  peek->WaitFor("you only watch");
  peek->Type("\x03");
  EXPECT_EQ(peek->Wait(), 0);
  ExpectClean(*peek);
  first->WaitFor(" left");
  first->Type("echo done\r");
  first->WaitForLine("done");
  EXPECT_THAT(first->Text(), Not(HasSubstr("never")));
  Detach(*first);
}

TEST_F(SharingTest, ShareTypesAlongInTheSmallerSize) {
  auto first = Enter({"--take"}, "desk", 40, 90);
  auto second = Enter({"--share"}, "laptop", 20, 120);
  first->WaitFor("came and types along");
  second->Type("stty size\r");
  first->WaitForLine("20 90");
  first->Type("echo from-fi");
  second->WaitFor("echo from-fi");
  second->Type("rst\r");
  first->WaitForLine("from-first");
  second->Type("\r~.");
  EXPECT_EQ(second->Wait(), 0);
  first->WaitFor(" left");
  WaitForSize("40 90");
  first->Type("stty size\r");
  first->WaitForLine("40 90");
  Detach(*first);
}

TEST_F(SharingTest, HeldByAnotherClientItNeedsTake) {
  fleet_.Run({"connect", "work", "--take"}, "", "desk");
  auto refused = Start({"enter", "work"}, "laptop");
  EXPECT_EQ(refused->Wait(), 125);
  EXPECT_THAT(refused->Text(), HasSubstr("is held by "));
  auto taken = Enter({"--take"}, "laptop");
  Detach(*taken);
}

TEST_F(SharingTest, WhoTakesTheSessionEndsTheVisit) {
  auto first = Enter({"--take"}, "desk");
  fleet_.Run({"connect", "work", "--take"}, "", "laptop");
  EXPECT_EQ(first->Wait(), 1);
  EXPECT_THAT(first->Text(), HasSubstr("was taken by "));
  ExpectClean(*first);
}

// Runs a command in "work" that ends when it is let go.
class BusyTest : public TerminalTest {
 protected:
  BusyTest() {
    Run("mkfifo gate");
    busy_.emplace(fleet_.Start(
        {"run", "-s", "work", "--", "read l < gate; echo got-$l"}));
    fleet_.WaitFor({"ls", "work", "-o", "json"}, "read l");
  }

  // Lets it go.
  void Open() {
    const std::string gate = fleet_.directory() + "/home/gate";
    ASSERT_TRUE(
        Process::Run({.argv = {"/bin/sh", "-c", "echo go > " + gate}}).ok());
    ASSERT_TRUE(busy_->WaitForLine("got-go").ok());
    ASSERT_EQ(busy_->Wait().value_or(-1), 0);
  }

  std::optional<Process> busy_;
};

TEST_F(BusyTest, IsWaitedForAndNeverTypedInto) {
  auto terminal = Start({"enter", "work"});
  terminal->WaitFor("the session is busy: it runs 'read l");
  EXPECT_THAT(terminal->Text(), HasSubstr("waiting for it"));
  Open();
  terminal->WaitFor("$");
  terminal->Type("echo at-prompt\r");
  terminal->WaitForLine("at-prompt");
  Detach(*terminal);
}

TEST_F(BusyTest, IsRefusedAndSaysWhatRuns) {
  auto terminal = Start({"enter", "work", "--no-wait"});
  EXPECT_EQ(terminal->Wait(), 125);
  EXPECT_THAT(terminal->Text(), HasSubstr("is busy: it runs 'read l"));
  EXPECT_THAT(terminal->Text(), HasSubstr("since 20"));
  auto impatient = Start({"enter", "work", "--wait", "1s"});
  EXPECT_EQ(impatient->Wait(), 125);
  EXPECT_THAT(impatient->Text(), HasSubstr("is busy"));
  Open();
}

TEST_F(BusyTest, WaitingCanBeGivenUp) {
  auto terminal = Start({"enter", "work"});
  terminal->WaitFor("waiting for it");
  terminal->Type("\x03");
  EXPECT_EQ(terminal->Wait(), 130);
  Open();
}

TEST_F(BusyTest, IsWatchedAtOnce) {
  auto peek = Start({"enter", "work", "--peek"});
  Open();
  Run("echo seen > /dev/tty");
  peek->WaitFor("seen");
  peek->Type("\x03");
  EXPECT_EQ(peek->Wait(), 0);
}

TEST_F(SharingTest, WhatWasTypedDoesNotKeepOthersOut) {
  auto first = Enter();
  first->Type("sleep 1000\r");
  fleet_.WaitFor({"ls", "work", "-o", "json"}, "sleep");
  first->Type("\r~.");
  EXPECT_EQ(first->Wait(), 0);
  auto again = Start({"enter", "work", "--no-wait"});
  again->WaitFor("sleep 1000");
  again->Type("\x03");
  again->WaitFor("^C");
  Detach(*again);
}

}  // namespace
}  // namespace berth::testing
