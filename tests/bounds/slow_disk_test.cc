// A disk on which everything that one session's holder writes takes 100 ms
// (injected with strace): how far that is felt.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/monotonic.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bounds/bounds_fixture.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

constexpr char kStrace[] = "/usr/bin/strace";

class SlowDiskTest : public BoundsTest {
 protected:
  // Slows down these system calls of `pid` and of its threads.
  Process Slow(pid_t pid, const std::string& calls) {
    Process::Options options;
    options.argv = {kStrace,
                    "-f",
                    "-qq",
                    "-o",
                    "/dev/null",
                    "-e",
                    absl::StrCat("inject=", calls, ":delay_enter=100000"),
                    "-p",
                    absl::StrCat(pid)};
    auto strace = Process::Start(options);
    EXPECT_TRUE(strace.ok()) << strace.status();
    WaitUntil(
        [&] {
          const std::string status =
              ReadTextFile(absl::StrCat("/proc/", pid, "/status"));
          return status.find("TracerPid:\t0\n") == std::string::npos;
        },
        "strace");
    return *std::move(strace);
  }

  absl::Duration Time(const std::string& session, const std::string& client) {
    const absl::Time begin = MonotonicNow();
    EXPECT_EQ(fleet_.Run({"run", "-s", session, "--", "echo on"}, "", client),
              "on\n");
    return MonotonicNow() - begin;
  }
};

TEST_F(SlowDiskTest, HolderOnASlowDiskSlowsItsOwnSessionAlone) {
  ASSERT_EQ(access(kStrace, X_OK), 0) << "see deploy/install-build-deps";
  Time("1", "laptop");
  Process strace = Slow(fleet_.HolderPid("1"), "pwrite64,splice,openat");
  if (HasFatalFailure()) return;
  const absl::Duration slow = Time("1", "laptop");
  absl::Duration other = absl::InfiniteDuration();
  for (int i = 0; i < 5; ++i) other = std::min(other, Time("2", "other"));
  std::printf("a command takes %s there, %s in another session\n",
              absl::FormatDuration(slow).c_str(),
              absl::FormatDuration(other).c_str());
  EXPECT_GT(slow, absl::Milliseconds(300));
  EXPECT_LT(other, absl::Milliseconds(300));
  // A flood there holds up nobody either, and comes whole.
  Process flood = fleet_.Start({"run", "-s", "1", "--", "seq 1 200000"});
  EXPECT_EQ(flood.ReadExactly(2).value(), "1\n");
  for (int i = 0; i < 3; ++i) other = std::min(other, Time("2", "other"));
  EXPECT_LT(other, absl::Milliseconds(300));
  const std::string rest = flood.ReadToEnd(absl::Minutes(1)).value();
  EXPECT_EQ(rest.substr(rest.size() - 7), "200000\n");
  strace.StopWith(SIGINT);
  EXPECT_EQ(flood.Wait().value(), 0);
}

TEST_F(SlowDiskTest, RecordsOnASlowDiskDoNotHoldUpWhatRuns) {
  ASSERT_EQ(access(kStrace, X_OK), 0) << "see deploy/install-build-deps";
  Time("1", "laptop");
  Process strace =
      Slow(fleet_.AgentPid("Server01"), "rename,renameat2,fsync,fdatasync");
  if (HasFatalFailure()) return;
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < 5; ++i) best = std::min(best, Time("1", "laptop"));
  const absl::Time begin = MonotonicNow();
  fleet_.Run({"new", "-c", "Server01"});
  std::printf("a command takes %s, a new session %s\n",
              absl::FormatDuration(best).c_str(),
              absl::FormatDuration(MonotonicNow() - begin).c_str());
  EXPECT_LT(best, absl::Milliseconds(300));
  strace.StopWith(SIGINT);
  ExpectOthersUnhurt();
}

}  // namespace
}  // namespace berth::testing
