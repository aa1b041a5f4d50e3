// A fork bomb in a configuration with a limit of processes.

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/monotonic.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bounds/wrapper.h"
#include "tests/e2e/fleet.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

// The limit is RLIMIT_NPROC, which does not bind root: so root's test has an
// agent that is somebody else's.
TEST(ForkBombTest, StaysInItsSessionAndIsRemovedWithIt) {
  Wrappers wrappers;
  Fleet fleet({"Server01"});
  fleet.KillAgent("Server01", SIGTERM);
  const std::string state = fleet.AgentDirectory("Server01");
  WriteTextFile(state + "/agent.toml",
                "[configurations.default]\n"
                "[configurations.limited.limits]\nprocesses = 150\n");
  if (geteuid() == 0) {
    const std::string line = absl::StrCat("chmod 711 ", fleet.directory(),
                                          " && chown -R nobody:nogroup ", state,
                                          " ", fleet.directory(), "/home");
    auto given = Process::Run({.argv = {"/bin/sh", "-c", line}});
    ASSERT_TRUE(given.ok() && given->exit_code == 0) << given->err;
    wrappers.Publish("BERTH_HOLDER");
    wrappers.Publish("BERTH_AGENT");
    wrappers.Wrap("BERTH_AGENT",
                  "setpriv --reuid=nobody --regid=nogroup --clear-groups");
  }
  fleet.StartAgent("Server01");
  fleet.WaitFor({"computers", "Server01", "-o", "json"},
                "COMPUTER_STATE_ONLINE");
  fleet.Run({"new", "-c", "Server01", "--configuration", "limited"});
  fleet.Run({"new", "-c", "Server01"}, "", "other");
  const pid_t shell = static_cast<pid_t>(fleet.Session("1").shell_pid());

  Process bomb = fleet.Start(
      {"run", "-s", "1", "--", "bomb() { bomb | bomb; }; bomb & sleep 1000"});
  const std::string errors = fleet.directory() + "/berth.err";
  const absl::Time deadline = MonotonicNow() + absl::Seconds(60);
  while (ReadTextFile(errors).find("fork: ") == std::string::npos) {
    ASSERT_LT(MonotonicNow(), deadline) << ReadTextFile(errors);
    absl::SleepFor(absl::Milliseconds(10));  // Between two looks, no more.
  }
  EXPECT_THAT(ReadTextFile(errors),
              HasSubstr("Resource temporarily unavailable"));
  std::printf("the bomb has %zu processes\n", ProcessesOfSession(shell).size());
  EXPECT_LE(ProcessesOfSession(shell).size(), 150u);
  // Others start what they want.
  EXPECT_EQ(fleet.Run({"run", "-s", "2", "--", "/bin/echo on"}, "", "other"),
            "on\n");
  fleet.Run({"new", "-c", "Server01"}, "", "other");
  fleet.Run({"rm", "1"});
  EXPECT_EQ(bomb.Wait().ok(), true);
  while (!ProcessesOfSession(shell).empty()) {
    ASSERT_LT(MonotonicNow(), deadline) << "the bomb outlived its session";
    absl::SleepFor(absl::Milliseconds(10));  // Between two looks, no more.
  }
  EXPECT_EQ(fleet.Run({"run", "-s", "2", "--", "/bin/echo on"}, "", "other"),
            "on\n");
}

}  // namespace
}  // namespace berth::testing
