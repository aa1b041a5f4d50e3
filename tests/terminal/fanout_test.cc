// A command on many targets, watched at a terminal.

#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/terminal/terminal_test.h"

namespace berth::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class FanoutTest : public TerminalTest {
 protected:
  FanoutTest() {
    fleet_.Run({"new", "-c", "web01", "--name", "second"});
    fleet_.Run({"new", "-c", "web01", "--name", "third"});
    mkfifo(gate_.c_str(), 0600);
  }

  void OpenGate() {
    ASSERT_TRUE(
        Process::Run({.argv = {"/bin/sh", "-c", "echo go >" + gate_}}).ok());
  }

  const std::string gate_ = fleet_.directory() + "/gate";
};

TEST_F(FanoutTest, ShowsColouredNamesAndHowFarItIs) {
  Run("HOLD=1");
  auto terminal =
      Start({"run", "-s", "*", "--",
             absl::StrCat("echo out; [ -z \"$HOLD\" ] || read -r x <", gate_)});
  terminal->WaitFor("[2/3]");
  EXPECT_THAT(terminal->Text(), ContainsRegex("\\[2/3\\] [0-9.]+/s"));
  OpenGate();
  EXPECT_EQ(terminal->Wait(), 0);
  // Gone again, as is what it was drawn over; what is left is the output.
  EXPECT_THAT(terminal->Text(), Not(HasSubstr("/3]")));
  EXPECT_THAT(terminal->Text(), HasSubstr("berth: 3 ok"));
  EXPECT_THAT(terminal->output(),
              ContainsRegex("\x1b\\[[0-9]+mweb01/1:\x1b\\[0m out\r\n"));
  ExpectClean(*terminal);
}

TEST_F(FanoutTest, CtrlCShowsWhatCameAndEndsTheRest) {
  auto terminal =
      Start({"run", "-s", "*", "--gather", "--", "echo early; sleep 1000"});
  for (const char* session : {"work", "second", "third"}) {
    fleet_.WaitFor({"ls", session, "-o", "jsonl"}, "\"COMMAND\"");
  }
  terminal->WaitFor("[0/3]");
  terminal->Type("\x03");
  EXPECT_EQ(terminal->Wait(), 130);
  EXPECT_THAT(terminal->Text(), HasSubstr("early"));
  EXPECT_THAT(terminal->Text(), HasSubstr("3 cancelled: "));
  ExpectClean(*terminal);
  fleet_.Run({"run", "-s", "*", "--no-wait", "--", "true"});
}

}  // namespace
}  // namespace berth::testing
