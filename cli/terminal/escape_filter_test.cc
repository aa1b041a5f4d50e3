#include "cli/terminal/escape_filter.h"

#include <string>

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

// What passes, with a name in brackets where something was asked.
std::string Filter(EscapeFilter& filter, absl::string_view input) {
  std::string all;
  while (!input.empty()) {
    const EscapeFilter::Result result = filter.Take(input);
    all += result.typed;
    switch (result.escape) {
      case Escape::kNone:
        break;
      case Escape::kDetach:
        all += "[detach]";
        break;
      case Escape::kHelp:
        all += "[help]";
        break;
      case Escape::kSuspend:
        all += "[suspend]";
        break;
      case Escape::kRedraw:
        all += "[redraw]";
        break;
      case Escape::kBreak:
        all += "[break]";
        break;
    }
    input.remove_prefix(result.used);
  }
  return all;
}

struct Case {
  const char* name;
  std::string typed;
  std::string want;
};

class EscapeFilterTest : public ::testing::TestWithParam<Case> {};

TEST_P(EscapeFilterTest, AllAtOnce) {
  EscapeFilter filter('~');
  EXPECT_EQ(Filter(filter, GetParam().typed), GetParam().want);
}

TEST_P(EscapeFilterTest, KeyByKey) {
  EscapeFilter filter('~');
  std::string all;
  for (const char key : GetParam().typed) {
    all += Filter(filter, absl::string_view(&key, 1));
  }
  EXPECT_EQ(all, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    All, EscapeFilterTest,
    ::testing::ValuesIn<Case>({
        {"Plain", "echo hi\r", "echo hi\r"},
        {"DetachAtFirst", "~.", "[detach]"},
        {"DetachAfterReturn", "ls\r~.", "ls\r[detach]"},
        {"DetachAfterNewline", "ls\n~.", "ls\n[detach]"},
        {"NotInTheMiddle", "a~.b", "a~.b"},
        {"NotAfterErasing", "a\x7f~.", "a\x7f~."},
        {"Literal", "~~.", "~."},
        {"LiteralIsOneKey", "\r~~~.", "\r~~."},
        {"Unknown", "~x", "~x"},
        {"UnknownIsAKeyOfTheLine", "~x~.", "~x~."},
        {"ReturnAfterEscapeCharacter", "~\r~.", "~\r[detach]"},
        {"Help", "~?", "[help]"},
        {"TwoInARow", "~?~R~.", "[help][redraw][detach]"},
        {"Suspend", "\r~\x1a", "\r[suspend]"},
        {"Break", "~B~b", "[break][break]"},
        {"AllBytes", std::string("\0\x80\xff\x1b[A", 6),
         std::string("\0\x80\xff\x1b[A", 6)},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(EscapeFilterTest, AnotherCharacter) {
  EscapeFilter filter('%');
  EXPECT_EQ(Filter(filter, "~.%%\r%%\r%."), "~.%%\r%\r[detach]");
}

TEST(EscapeFilterTest, None) {
  EscapeFilter filter(std::nullopt);
  EXPECT_EQ(Filter(filter, "~.\r~."), "~.\r~.");
}

TEST(EscapeFilterTest, UsesNothingOfNothing) {
  EscapeFilter filter('~');
  EXPECT_EQ(filter.Take("").used, 0u);
}

}  // namespace
}  // namespace berth::cli
