#include "cli/fanout/link_report.h"

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

absl::Time After(absl::Duration time) { return kStart + time; }

TEST(LinkReportTest, TellsLossesTogether) {
  LinkReport report(absl::Minutes(4));
  EXPECT_EQ(report.due(), absl::InfiniteFuture());
  report.Lost("web01", "reset", kStart);
  report.Lost("web02", "reset", After(absl::Milliseconds(100)));
  EXPECT_EQ(report.Next(After(absl::Milliseconds(200))), std::nullopt);
  EXPECT_EQ(report.Next(report.due()),
            "connection to web[01-02] lost; reconnecting for 4m (reset)");
  report.Back("web01", After(absl::Seconds(10)));
  EXPECT_EQ(report.Next(After(absl::Seconds(31))),
            "still reconnecting to web02, for 3m29s");
  report.Back("web02", After(absl::Seconds(40)));
  EXPECT_EQ(report.Next(After(absl::Seconds(41))), "reconnected");
  EXPECT_EQ(report.due(), absl::InfiniteFuture());
}

TEST(LinkReportTest, WhatIsBackAtOnceIsNotTold) {
  LinkReport report(absl::Minutes(4));
  report.Lost("web01", "reset", kStart);
  report.Back("web01", After(absl::Milliseconds(100)));
  EXPECT_EQ(report.due(), absl::InfiniteFuture());
  // The next loss is one of its own.
  report.Lost("web01", "again", After(absl::Hours(1)));
  EXPECT_EQ(report.Next(report.due()),
            "connection to web01 lost; reconnecting for 4m (again)");
}

TEST(LinkReportTest, ASecondLossSoonIsTheSame) {
  LinkReport report(absl::Minutes(4));
  report.Lost("web01", "reset", kStart);
  (void)report.Next(report.due());
  report.Back("web01", After(absl::Seconds(1)));
  report.Lost("web01", "reset", After(absl::Milliseconds(1100)));
  EXPECT_EQ(report.Next(After(absl::Seconds(2))),
            "still reconnecting to web01, for 3m58s");
}

}  // namespace
}  // namespace berth::cli
