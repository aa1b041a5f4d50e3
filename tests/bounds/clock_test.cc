// The clock of broker, agent and clients jumps by hours, forward and back, with
// libfaketime; holders are static, and have the true one.

#include "absl/time/clock.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/monotonic.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bounds/wrapper.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kLibrary[] =
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

// What `date` says with that clock, in seconds from the true one.
int64_t OffsetOf(const std::string& before) {
  auto date = Process::Run({.argv = {"/bin/sh", "-c", before + " date +%s"}});
  return date.ok() ? atoll(date->out.c_str()) - absl::ToUnixSeconds(absl::Now())
                   : 0;
}

TEST(ClockTest, SessionsCommandsAndLeasesDoNotNoticeJumps) {
  ASSERT_EQ(access(kLibrary, R_OK), 0) << "see deploy/install-build-deps";
  Wrappers wrappers;
  const std::string file = wrappers.directory() + "/offset";
  const auto jump = [&](const std::string& offset) {
    // At once: a file that was just emptied is no offset.
    WriteTextFile(file + ".new", offset + "\n");
    ASSERT_EQ(rename((file + ".new").c_str(), file.c_str()), 0);
  };
  jump("+0");
  const std::string with = absl::StrCat(
      "env LD_PRELOAD=", kLibrary, " FAKETIME_TIMESTAMP_FILE=", file,
      " FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1");
  for (const char* program : {"BERTH_BROKER", "BERTH_AGENT", "BERTH_CLI"}) {
    wrappers.Wrap(program, with);
  }
  Fleet fleet({"Server01"});
  fleet.Run({"new", "-c", "Server01", "--idle-timeout", "60s"});
  fleet.Run({"disconnect", "1"});
  fleet.Run({"new", "-c", "Server01"});
  Process run = fleet.Start({"run", "-s", "2", "--", "cat"});
  int lines = 0;
  const auto expect_all_well = [&] {
    const std::string line = absl::StrCat("line ", ++lines, "\n");
    ASSERT_TRUE(run.Write(line).ok());
    EXPECT_EQ(run.ReadExactly(line.size()).value(), line);
    // Its idle timeout has not passed, though the clock says so.
    EXPECT_EQ(fleet.Session("1").state(), v1::SESSION_STATE_DISCONNECTED);
    // Present clients go on holding what they hold, and links are up.
    EXPECT_EQ(fleet.Session("2").state(), v1::SESSION_STATE_OPENED);
    fleet.Run({"new", "-c", "Server01", "--name", "another"});
    fleet.Run({"rm", "another"});
  };
  expect_all_well();
  const absl::Time begin = MonotonicNow();
  // Never before the certificates were made: they go by the clock as it is.
  for (const char* offset : {"+5h", "+20h", "+4h", "+0"}) {
    jump(offset);
    std::printf("%s: the clock is off by %ld s\n", offset, OffsetOf(with));
    expect_all_well();
    // Whoever waits 1 s by the clock that jumped waits neither for hours nor
    // not at all.
    auto late = fleet.Berth({"run", "-s", "2", "--wait", "1s", "--", "true"});
    EXPECT_EQ(late.exit_code, 124) << late.err;
  }
  // In less than it takes for the idle timeout to pass in truth.
  EXPECT_LT(MonotonicNow() - begin, absl::Seconds(55));
  run.CloseStdin();
  EXPECT_EQ(run.ReadToEnd().value(), "");
  EXPECT_EQ(run.Wait().value(), 0);
}

}  // namespace
}  // namespace berth::testing
