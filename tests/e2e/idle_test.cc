// A session that nobody holds ends after its idle timeout; one that is held,
// or in which something runs, does not.

#include <string>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

// The shortest timeout there is, so this test takes a minute.
TEST(IdleTest, OnlyTheClockOfADisconnectedIdleSessionRuns) {
  Fleet fleet({"Server01"});
  for (const char* name : {"held", "busy", "idle"}) {
    fleet.Run(
        {"new", "-c", "Server01", "--name", name, "--idle-timeout", "60s"});
  }
  fleet.Run({"run", "-s", "busy", "--detach", "--", "sleep 1000"});
  fleet.Run({"run", "-s", "idle", "--", "echo kept"});
  fleet.Run({"disconnect", "busy"});
  const absl::Time start = absl::Now();
  fleet.Run({"disconnect", "idle"});
  EXPECT_TRUE(fleet.Session("idle").has_expires_at());
  EXPECT_FALSE(fleet.Session("busy").has_expires_at());
  EXPECT_FALSE(fleet.Session("held").has_expires_at());

  fleet.WaitFor({"ls", "idle", "-o", "jsonl"}, "SESSION_STATE_CLOSED",
                absl::Seconds(90));
  EXPECT_GE(absl::Now() - start, absl::Seconds(59));
  EXPECT_EQ(fleet.Session("idle").end().reason(), v1::END_REASON_IDLE_TIMEOUT);
  EXPECT_EQ(fleet.Session("held").state(), v1::SESSION_STATE_OPENED);
  EXPECT_EQ(fleet.Session("busy").state(), v1::SESSION_STATE_DISCONNECTED);
  // What it printed can still be read.
  EXPECT_EQ(fleet.Run({"receive", "idle", "--from-start"}), "kept\n");
  auto refused = fleet.Berth({"run", "-s", "idle", "--", "true"});
  EXPECT_EQ(refused.exit_code, 125);
  EXPECT_THAT(refused.err, ::testing::HasSubstr("idle timeout"));
}

}  // namespace
}  // namespace berth::testing
