// The agent stops, is killed, and is replaced by its next version, under 50
// busy sessions whose output is followed: all of them are there again within
// 2 s, and no command, and no byte of any output, notices.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "base/version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/faults/restart/counters.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

constexpr size_t kSessions = 50;
// What is promised; on a busy machine more is no failure of the test.
constexpr absl::Duration kPromised = absl::Seconds(2);

// The agent and the holder as they are installed: files that a new version
// takes the place of while the old ones run.
class Installed {
 public:
  Installed() {
    for (const char* variable : {"BERTH_AGENT", "BERTH_HOLDER"}) {
      const std::string from = std::filesystem::absolute(getenv(variable));
      const std::string to = absl::StrCat(dir_.path(), "/", variable);
      Put(ReadTextFile(from), to);
      setenv(variable, to.c_str(), 1);
    }
  }

  // The same programs with another version's number in them.
  void Upgrade(const std::string& version) {
    const auto as_stored = [](absl::string_view number) {
      return absl::StrCat(absl::string_view("\0", 1), number,
                          absl::string_view("\0", 1));
    };
    ASSERT_EQ(version.size(), absl::string_view(kVersion).size());
    const std::string agent = dir_.path() + "/BERTH_AGENT";
    const std::string program = ReadTextFile(agent);
    const std::string next = absl::StrReplaceAll(
        program, {{as_stored(kVersion), as_stored(version)}});
    ASSERT_NE(program, next);
    Put(next, agent);
    const std::string holder = dir_.path() + "/BERTH_HOLDER";
    Put(ReadTextFile(holder), holder);
  }

 private:
  // As a package manager does: under another name first.
  static void Put(const std::string& program, const std::string& path) {
    const std::string part = path + ".new";
    WriteTextFile(part, program);
    ASSERT_EQ(chmod(part.c_str(), 0755), 0);
    ASSERT_EQ(rename(part.c_str(), path.c_str()), 0);
  }

  TempDir dir_;
};

class AgentRestartTest : public ::testing::Test {
 protected:
  AgentRestartTest()
      : fleet_({"Server01"}), counters_(fleet_, "Server01", kSessions) {}

  // Starts the agent again, and waits for all sessions.
  void Return(const std::string& what) {
    const absl::Time start = absl::Now();
    fleet_.StartAgent("Server01");
    const absl::Duration ready = absl::Now() - start;
    WaitForLiving(fleet_, kSessions);
    const absl::Duration there = absl::Now() - start;
    counters_.WaitForLines(1);
    const absl::Duration flowing = absl::Now() - start;
    printf(
        "%s: agent ready after %s, %zu sessions listed after %s%s, output "
        "of all after %s\n",
        what.c_str(), absl::FormatDuration(ready).c_str(), kSessions,
        absl::FormatDuration(there).c_str(),
        there > kPromised ? " (more than promised)" : "",
        absl::FormatDuration(flowing).c_str());
    RecordProperty(what + "_ms",
                   static_cast<int>(absl::ToInt64Milliseconds(there)));
    EXPECT_LT(there, 10 * kPromised);
    for (const v1::Session& session : fleet_.Sessions({})) {
      EXPECT_EQ(session.availability(), v1::SESSION_AVAILABILITY_BUSY);
    }
  }

  Installed installed_;  // Before the agent starts.
  Fleet fleet_;
  Counters counters_;
};

TEST_F(AgentRestartTest, FiftyBusySessionsOutliveTheirAgents) {
  counters_.WaitForLines(2);
  const int rounds = getenv("BERTH_LONG") != nullptr ? 10 : 1;
  for (int round = 0; round < rounds; ++round) {
    fleet_.KillAgent("Server01", SIGTERM);
    Return("stopped");
    fleet_.KillAgent("Server01", SIGKILL);
    Return("killed");
  }
  installed_.Upgrade("0.1.9");
  fleet_.KillAgent("Server01", SIGTERM);
  Return("upgraded");
  EXPECT_THAT(fleet_.Run({"computers", "-o", "json"}), HasSubstr("0.1.9"));
  // And back again.
  fleet_.KillAgent("Server01", SIGKILL);
  Return("killed_after_upgrade");
  counters_.StopAndCheck();
}

}  // namespace
}  // namespace berth::testing
