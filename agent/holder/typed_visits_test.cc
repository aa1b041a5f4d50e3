#include "agent/holder/typed_visits.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::holder {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "connection:visit:offset".
std::vector<std::string> Reports(TypedVisits& visits) {
  std::vector<std::string> all;
  for (const TypedVisits::Report& report : visits.TakeReports()) {
    all.push_back(std::to_string(report.connection) + ":" + report.visit + ":" +
                  std::to_string(report.offset));
  }
  return all;
}

TEST(TypedVisitsTest, EachByteOfAVisitIsNewOnce) {
  TypedVisits visits;
  EXPECT_EQ(visits.Take(1, "a", 0, "abc"), "abc");
  EXPECT_EQ(visits.Take(2, "a", 1, "bcd"), "d");
  EXPECT_EQ(visits.Take(2, "a", 0, "ab"), "");
  EXPECT_EQ(visits.Take(2, "b", 0, "ab"), "ab");
  EXPECT_EQ(visits.Take(2, "", 0, "ab"), "ab");
  EXPECT_EQ(visits.Take(2, "", 0, "ab"), "ab");
}

TEST(TypedVisitsTest, TheFirstOffsetMayBeAny) {
  TypedVisits visits;
  EXPECT_EQ(visits.Take(1, "a", 100, "abc"), "abc");
  EXPECT_EQ(visits.Take(1, "a", 101, "bcd"), "d");
}

TEST(TypedVisitsTest, ReportsToTheLatestConnectionWhatIsNew) {
  TypedVisits visits;
  visits.Take(1, "a", 0, "abc");
  visits.Take(2, "a", 3, "d");
  EXPECT_THAT(Reports(visits), ElementsAre("2:a:4"));
  EXPECT_THAT(Reports(visits), IsEmpty());
  visits.Take(2, "a", 0, "a");  // It does not know.
  EXPECT_THAT(Reports(visits), ElementsAre("2:a:4"));
}

TEST(TypedVisitsTest, NobodyIsToldWhoIsGone) {
  TypedVisits visits;
  visits.Take(1, "a", 0, "abc");
  visits.Closed(1);
  EXPECT_THAT(Reports(visits), IsEmpty());
  EXPECT_EQ(visits.Take(2, "a", 0, "abcd"), "d");
}

TEST(TypedVisitsTest, MuchIsManyBytesOrManyFrames) {
  TypedVisits visits;
  visits.Take(1, "a", 0, "x");
  EXPECT_FALSE(visits.HasMuchToReport());
  visits.Take(1, "a", 1, std::string(TypedVisits::kReportBytes, 'x'));
  EXPECT_TRUE(visits.HasMuchToReport());
  Reports(visits);
  EXPECT_FALSE(visits.HasMuchToReport());
  for (int i = 0; i < TypedVisits::kReportFrames; ++i) {
    visits.Take(1, "b", i, "x");
  }
  EXPECT_TRUE(visits.HasMuchToReport());
}

TEST(TypedVisitsTest, SoManyAreRemembered) {
  TypedVisits visits;
  for (size_t i = 0; i <= TypedVisits::kMax; ++i) {
    visits.Take(1, "v" + std::to_string(i), 0, "abc");
  }
  EXPECT_EQ(visits.Take(1, "v1", 0, "abc"), "");
  EXPECT_EQ(visits.Take(1, "v0", 0, "abc"), "abc");  // The oldest is forgotten.
}

}  // namespace
}  // namespace berth::holder
