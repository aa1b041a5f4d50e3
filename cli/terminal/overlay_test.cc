#include "cli/terminal/overlay.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::TerminalSize Size(uint32_t rows, uint32_t columns) {
  v1::TerminalSize size;
  size.set_rows(rows);
  size.set_columns(columns);
  return size;
}

TEST(OverlayTest, IsDrawnOnTheLastRows) {
  const std::string drawn = DrawOverlay({"one", "two"}, Size(24, 80));
  EXPECT_THAT(drawn, HasSubstr("\x1b[23;1H\x1b[0;7mone"));
  EXPECT_THAT(drawn, HasSubstr("\x1b[24;1H\x1b[0;7mtwo"));
}

TEST(OverlayTest, IsCutToFit) {
  const std::string drawn =
      DrawOverlay({"abc", "\xc3\xa4\xc3\xb6\xc3\xbc"}, Size(1, 2));
  EXPECT_THAT(drawn, HasSubstr("ab\x1b[0m"));
  EXPECT_THAT(drawn, Not(HasSubstr("\xc3")));
}

TEST(OverlayTest, CharactersAreCutWhole) {
  EXPECT_THAT(DrawOverlay({"\xc3\xa4\xc3\xb6\xc3\xbc"}, Size(1, 2)),
              HasSubstr("m\xc3\xa4\xc3\xb6\x1b[0m"));
}

TEST(OverlayTest, ControlBytesAreShown) {
  EXPECT_THAT(DrawOverlay({"\x1b]0;x\x07"}, Size(5, 80)),
              HasSubstr("\\x1b]0;x\\x07"));
}

struct Case {
  const char* name;
  const char* output;
  bool alternate;
};

class ScreenTrackerTest : public ::testing::TestWithParam<Case> {};

TEST_P(ScreenTrackerTest, KnowsTheScreen) {
  ScreenTracker tracker;
  for (const char* c = GetParam().output; *c != '\0'; ++c) {
    tracker.Saw(absl::string_view(c, 1));
  }
  EXPECT_EQ(tracker.alternate_screen(), GetParam().alternate);
}

INSTANTIATE_TEST_SUITE_P(All, ScreenTrackerTest,
                         ::testing::ValuesIn<Case>({
                             {"Nothing", "text", false},
                             {"Set", "\x1b[?1049h", true},
                             {"AmongOthers", "\x1b[?25;1049;7h", true},
                             {"Left", "\x1b[?1049hx\x1b[?1049l", false},
                             {"Old", "\x1b[?47h", true},
                             {"Reset",
                              "\x1b[?1049h\x1b"
                              "c",
                              false},
                             {"Another", "\x1b[?10490h", false},
                             {"NotPrivate", "\x1b[1049h", false},
                             {"Interrupted", "\x1b[?10\x1b[?25h", false},
                             {"Asked", "\x1b[?1049$p", false},
                         }),
                         [](const auto& info) {
                           return std::string(info.param.name);
                         });

TEST(ResetTerminalTest, LeavesTheAlternateScreenOnlyIfItIsThere) {
  EXPECT_THAT(ResetTerminal(true), HasSubstr("\x1b[?1049l"));
  EXPECT_THAT(ResetTerminal(false), Not(HasSubstr("1049")));
  EXPECT_THAT(ResetTerminal(false), HasSubstr("\x1b[?25h"));
}

}  // namespace
}  // namespace berth::cli
