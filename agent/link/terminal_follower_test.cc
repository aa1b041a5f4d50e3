#include "agent/link/terminal_follower.h"

#include "gtest/gtest.h"

namespace berth::agent {
namespace {

holder::v1::TerminalOutput Output(uint64_t offset, const std::string& data) {
  holder::v1::TerminalOutput output;
  output.set_offset(offset);
  output.set_data(data);
  return output;
}

holder::v1::TerminalScreen Screen(uint64_t offset, const std::string& data,
                                  bool last) {
  holder::v1::TerminalScreen screen;
  screen.set_offset(offset);
  screen.set_data(data);
  screen.set_rows(24);
  screen.set_columns(80);
  screen.set_last(last);
  return screen;
}

class TerminalFollowerTest : public ::testing::Test {
 protected:
  // "offset:data" of what is passed on; "-" for nothing.
  std::string Pass(TerminalFollower& follower,
                   holder::v1::TerminalOutput output) {
    const auto event = follower.OnOutput(output);
    if (!event) return "-";
    return std::to_string(event->output().offset()) + ":" +
           event->output().data();
  }
};

TEST_F(TerminalFollowerTest, OutputFollowsTheScreen) {
  TerminalFollower follower(/*screens=*/true);
  EXPECT_FALSE(follower.Begin(std::nullopt).watch_terminal().has_from_offset());
  auto first = Screen(100, "half", false);
  EXPECT_FALSE(follower.OnScreen(first)->screen().last());
  auto second = Screen(100, "rest", true);
  const auto event = follower.OnScreen(second);
  EXPECT_TRUE(event->screen().last());
  EXPECT_EQ(event->screen().data(), "rest");
  EXPECT_EQ(event->screen().size().columns(), 80u);
  EXPECT_EQ(Pass(follower, Output(100, "abc")), "100:abc");
}

TEST_F(TerminalFollowerTest, AttachedAgainItGoesOnWhereTheClientStopped) {
  TerminalFollower follower(/*screens=*/true);
  EXPECT_EQ(follower.Begin(50).watch_terminal().from_offset(), 50u);
  EXPECT_EQ(Pass(follower, Output(40, "0123456789")), "-");
  EXPECT_EQ(Pass(follower, Output(48, "xyzw")), "50:zw");
  EXPECT_EQ(Pass(follower, Output(52, "!")), "52:!");
  EXPECT_FALSE(follower.needs_screen());
}

TEST_F(TerminalFollowerTest, AGapAsksForTheScreen) {
  TerminalFollower follower(/*screens=*/true);
  follower.Begin(50);
  EXPECT_EQ(Pass(follower, Output(60, "late")), "-");
  EXPECT_TRUE(follower.needs_screen());
  ASSERT_TRUE(follower.Redraw().has_value());
  EXPECT_FALSE(follower.needs_screen());
  EXPECT_EQ(Pass(follower, Output(64, "later")), "-");
  auto screen = Screen(69, "all", true);
  follower.OnScreen(screen);
  EXPECT_EQ(Pass(follower, Output(69, "on")), "69:on");
}

TEST_F(TerminalFollowerTest, AHolderWithoutScreensHasGaps) {
  TerminalFollower follower(/*screens=*/false);
  follower.Begin(50);
  EXPECT_FALSE(follower.Redraw().has_value());
  EXPECT_EQ(Pass(follower, Output(60, "late")), "60:late");
  EXPECT_FALSE(follower.needs_screen());
}

}  // namespace
}  // namespace berth::agent
