#include "cli/render/duration.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

struct Case {
  const char* name;
  const char* text;
  absl::Duration want;
};

class ReadDurationTest : public testing::TestWithParam<Case> {};

TEST_P(ReadDurationTest, Reads) {
  const absl::StatusOr<absl::Duration> duration = ReadDuration(GetParam().text);
  ASSERT_TRUE(duration.ok()) << duration.status();
  EXPECT_EQ(*duration, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(All, ReadDurationTest,
                         testing::ValuesIn<Case>({
                             {"Seconds", "90s", absl::Seconds(90)},
                             {"Minutes", "5m", absl::Minutes(5)},
                             {"Hours", "2h", absl::Hours(2)},
                             {"Mixed", "1h30m", absl::Minutes(90)},
                             {"Days", "2d", absl::Hours(48)},
                             {"DaysAndHours", "1d12h", absl::Hours(36)},
                             {"Milliseconds", "500ms", absl::Milliseconds(500)},
                             {"Fraction", "1.5h", absl::Minutes(90)},
                             {"Zero", "0", absl::ZeroDuration()},
                             {"Longest", "366d", absl::Hours(366 * 24)},
                         }),
                         [](const auto& info) {
                           return std::string(info.param.name);
                         });

TEST(ReadDurationTest, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "5", "5x", "m", "d", "5 m", "1d2", "s5", "\x1b"}) {
    const auto duration = ReadDuration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_THAT(std::string(duration.status().message()),
                testing::HasSubstr("is not a time; write 90s, 5m or 2h"));
  }
}

TEST(ReadDurationTest, RefusesWhatIsOutOfRange) {
  for (const char* text : {"-5s", "367d", "366d1s", "inf", "99999999h"}) {
    const auto duration = ReadDuration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_THAT(std::string(duration.status().message()),
                testing::HasSubstr("is out of range"));
  }
}

TEST(ShortDurationTest, IsShort) {
  EXPECT_EQ(ShortDuration(absl::Seconds(-3)), "0s");
  EXPECT_EQ(ShortDuration(absl::ZeroDuration()), "0s");
  EXPECT_EQ(ShortDuration(absl::Seconds(42)), "42s");
  EXPECT_EQ(ShortDuration(absl::Seconds(90)), "1m30s");
  EXPECT_EQ(ShortDuration(absl::Seconds(899)), "14m");
  EXPECT_EQ(ShortDuration(absl::Hours(2)), "2h");
  EXPECT_EQ(ShortDuration(absl::Minutes(90)), "1h30m");
  EXPECT_EQ(ShortDuration(absl::Hours(76)), "3d4h");
  EXPECT_EQ(ShortDuration(absl::Hours(48)), "2d");
}

}  // namespace
}  // namespace berth::cli
