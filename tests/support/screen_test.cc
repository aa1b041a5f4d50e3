#include "tests/support/screen.h"

#include <gtest/gtest.h>

namespace berth::testing {
namespace {

struct Case {
  const char* name;
  const char* output;
  std::vector<std::string> lines;
  size_t column;
};

class RenderTest : public ::testing::TestWithParam<Case> {};

TEST_P(RenderTest, ShowsWhatATerminalWould) {
  Screen screen = Render(GetParam().output, 10);
  EXPECT_EQ(screen.lines, GetParam().lines);
  EXPECT_EQ(screen.column, GetParam().column);
}

INSTANTIATE_TEST_SUITE_P(
    All, RenderTest,
    ::testing::Values(
        Case{"Plain", "ab\r\ncd", {"ab", "cd"}, 2},
        Case{"OverwriteAfterReturn", "abc\rx", {"xbc"}, 1},
        Case{"Backspace", "abc\b\bX", {"aXc"}, 2},
        Case{"WrapsAtTheMargin", "0123456789ab", {"0123456789", "ab"}, 2},
        Case{"EraseToEndOfLine", "abcd\r\x1b[2C\x1b[K", {"ab"}, 2},
        Case{"DeleteCharacters", "abcd\r\x1b[2P", {"cd"}, 0},
        Case{"InsertBlanks", "ab\r\x1b[@X", {"Xab"}, 1},
        Case{"UpAndErase", "ab\r\ncd\x1b[A\r\x1b[J", {""}, 0},
        Case{"SkipsModesAndBells", "\x1b[?2004h\aok", {"ok"}, 2},
        Case{"CountsCharactersNotBytes", "\xc3\xa9\bx", {"x"}, 1}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace berth::testing
