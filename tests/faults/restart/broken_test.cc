// A session whose computer is out of reach is Broken, and says since when; it
// is what it was as soon as the link is back. What decides is whether the link
// lives, not what was said last.

#include <signal.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/faults/restart/cut_link.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

// The broker asks whoever says nothing for 12 s (as configured here), and waits
// 10 s for an answer.
constexpr absl::Duration kLease = absl::Seconds(22);

class BrokenTest : public ::testing::Test {
 protected:
  BrokenTest() : fleet_({"Server01"}), cable_(fleet_.port()) {
    // The agent's way to the broker is the cable from now on.
    fleet_.KillAgent("Server01", SIGTERM);
    fleet_.KillBroker(SIGTERM);
    fleet_.ConfigureBroker("ping_after", "\"12s\"");
    fleet_.StartBroker();
    WriteTextFile(fleet_.AgentDirectory("Server01") + "/broker",
                  absl::StrCat("localhost:", cable_.port(), "\n"));
    fleet_.StartAgent("Server01");
    fleet_.WaitFor({"computers", "-o", "json"}, "COMPUTER_STATE_ONLINE");
    fleet_.Run({"new", "-c", "Server01"});
    fleet_.Run({"new", "-c", "Server01"});
    fleet_.Run({"disconnect", "2"});
    fleet_.Run({"run", "-s", "1", "--", "v=kept"});
  }

  // Waits until both sessions are Broken, and checks since when.
  void WaitBroken(absl::Time cut, absl::Duration limit) {
    const std::string broken = "SESSION_STATE_BROKEN";
    fleet_.WaitFor({"ls", "-o", "jsonl", "1"}, broken, limit);
    const absl::Time seen = absl::Now();
    for (const char* id : {"1", "2"}) {
      const v1::Session session = fleet_.Session(id);
      EXPECT_EQ(session.state(), v1::SESSION_STATE_BROKEN);
      EXPECT_EQ(session.availability(), v1::SESSION_AVAILABILITY_NONE);
      const absl::Time since = FromProto(session.broken_since());
      EXPECT_GE(since, cut - absl::Seconds(1));
      EXPECT_LE(since, seen + absl::Seconds(1));
    }
    EXPECT_THAT(fleet_.Run({"ls", "-o", "wide"}), HasSubstr("Broken"));
    printf("Broken %s after the link was lost\n",
           absl::FormatDuration(seen - cut).c_str());
  }

  void WaitHealed() {
    const absl::Time healed = absl::Now();
    fleet_.WaitFor({"ls", "-o", "jsonl", "1"}, "SESSION_STATE_OPENED",
                   absl::Minutes(2));
    printf("Opened again %s after it was back\n",
           absl::FormatDuration(absl::Now() - healed).c_str());
    EXPECT_EQ(fleet_.Session("2").state(), v1::SESSION_STATE_DISCONNECTED);
    EXPECT_FALSE(fleet_.Session("1").has_broken_since());
    EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}), "kept\n");
  }

  Fleet fleet_;
  CutLink cable_;
};

TEST_F(BrokenTest, CutLinkHealsToWhatItWas) {
  for (int round = 0; round < 3; ++round) {
    const absl::Time cut = absl::Now();
    cable_.Cut();
    WaitBroken(cut, absl::Seconds(20));
    cable_.Heal();
    WaitHealed();
  }
}

TEST_F(BrokenTest, SilentLinkIsBrokenWhenItsLeaseRunsOut) {
  const absl::Time cut = absl::Now();
  cable_.Silence();
  // Nothing that is said now arrives, and all that was said last was good.
  EXPECT_EQ(fleet_.Session("1").state(), v1::SESSION_STATE_OPENED);
  WaitBroken(cut, kLease + absl::Seconds(30));
  cable_.Heal();
  WaitHealed();
}

TEST_F(BrokenTest, StoppedAgentIsBrokenUntilItGoesOn) {
  const absl::Time stopped = absl::Now();
  ASSERT_EQ(kill(fleet_.AgentPid("Server01"), SIGSTOP), 0);
  WaitBroken(stopped, kLease + absl::Seconds(30));
  ASSERT_EQ(kill(fleet_.AgentPid("Server01"), SIGCONT), 0);
  WaitHealed();
}

TEST_F(BrokenTest, RestartedBrokerSaysBrokenSinceItsStart) {
  fleet_.KillAgent("Server01", SIGTERM);
  fleet_.StartAgent("Server01");
  fleet_.WaitForState("1", v1::SESSION_STATE_OPENED);
  // Its link was up for a while, and both die at once.
  const absl::Time linked = absl::Now();
  fleet_.KillBroker(SIGKILL);
  fleet_.KillAgent("Server01", SIGKILL);
  while (absl::Now() < linked + absl::Seconds(1)) {
    absl::SleepFor(absl::Milliseconds(50));  // So that the times differ.
  }
  const absl::Time start = absl::Now();
  fleet_.StartBroker();
  WaitBroken(start, absl::Seconds(20));
  fleet_.StartAgent("Server01");
  WaitHealed();
}

}  // namespace
}  // namespace berth::testing
