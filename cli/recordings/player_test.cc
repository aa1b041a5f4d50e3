#include "cli/recordings/player.h"

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

TEST(ParsePlaceTest, IsATimeAfterTheBeginningOrByTheClock) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time begin =
      absl::FromCivil(absl::CivilSecond(2026, 3, 1, 22, 30, 10), utc) +
      absl::Milliseconds(500);
  const auto place = [&](absl::string_view text) {
    const auto parsed = ParsePlace(text, begin, utc);
    return parsed.ok() ? *parsed : -absl::InfiniteDuration();
  };
  EXPECT_EQ(place("90s"), absl::Seconds(90));
  EXPECT_EQ(place("1h5m"), absl::Minutes(65));
  EXPECT_EQ(place("22:31"), absl::Milliseconds(49500));
  EXPECT_EQ(place("22:30:10"), absl::ZeroDuration());
  EXPECT_EQ(place("22:30:20"), absl::Milliseconds(9500));
  // The next day.
  EXPECT_EQ(place("00:10"),
            absl::Minutes(99) + absl::Seconds(50) - absl::Milliseconds(500));
  for (const char* bad : {"", "-5s", "25:00", "1:60", "1:2:3:4", "noon"}) {
    EXPECT_FALSE(ParsePlace(bad, begin, utc).ok()) << bad;
  }
}

}  // namespace
}  // namespace berth::cli
