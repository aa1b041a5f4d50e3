// A session that nobody holds ends after its idle timeout; one that is held,
// or in which something runs, does not.

#include <signal.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

// The shortest timeout there is, so this test takes a minute.
TEST(IdleTest, OnlyTheClockOfADisconnectedIdleSessionRuns) {
  Fleet fleet({"Server01"});
  // A configuration for which work is no reason to stay.
  const std::string file = fleet.directory() + "/strict.toml";
  WriteTextFile(file, "idle_while_busy = \"idle\"\n");
  const auto registered = Process::Run(
      {.argv = {getenv("BERTH_AGENT"), "configuration", "register", "strict",
                file, "--state-dir", fleet.AgentDirectory("Server01")}});
  ASSERT_TRUE(registered.ok()) << registered.status();
  ASSERT_EQ(registered->exit_code, 0) << registered->err;
  fleet.WaitFor({"configurations", "-o", "name"}, "strict\n");
  fleet.Run({"new", "-c", "Server01", "--name", "worker", "--configuration",
             "strict", "--idle-timeout", "60s"});
  const std::string pid_file = fleet.directory() + "/pid";
  fleet.Run({"run", "-s", "worker", "--detach", "--",
             "sleep 1000 & echo $! >" + pid_file + "; wait"});
  for (const char* name : {"held", "busy", "idle"}) {
    fleet.Run(
        {"new", "-c", "Server01", "--name", name, "--idle-timeout", "60s"});
  }
  fleet.Run({"run", "-s", "busy", "--detach", "--", "sleep 1000"});
  fleet.Run({"run", "-s", "idle", "--", "echo kept"});
  fleet.Run({"disconnect", "busy"});
  fleet.Run({"disconnect", "worker"});
  EXPECT_TRUE(fleet.Session("worker").has_expires_at());
  EXPECT_THAT(fleet.Run({"ls", "worker", "-o", "wide"}),
              ::testing::HasSubstr("! ends in "));
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
  // Where work doesn't count it ended as well, with its processes.
  fleet.WaitFor({"ls", "worker", "-o", "jsonl"}, "SESSION_STATE_CLOSED");
  EXPECT_EQ(fleet.Session("worker").end().reason(),
            v1::END_REASON_IDLE_TIMEOUT);
  int pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(
      absl::StripAsciiWhitespace(ReadTextFile(pid_file)), &pid));
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (kill(pid, 0) == 0 && absl::Now() < deadline) {
  }
  EXPECT_NE(kill(pid, 0), 0);
  // What it printed can still be read.
  EXPECT_EQ(fleet.Run({"receive", "idle", "--from-start"}), "kept\n");
  auto refused = fleet.Berth({"run", "-s", "idle", "--", "true"});
  EXPECT_EQ(refused.exit_code, 125);
  EXPECT_THAT(refused.err, ::testing::HasSubstr("idle timeout"));
  // It surely was not started.
  EXPECT_THAT(refused.err, ::testing::Not(::testing::HasSubstr("not known")));
}

}  // namespace
}  // namespace berth::testing
