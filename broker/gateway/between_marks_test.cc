#include "broker/gateway/between_marks.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace berth::gateway {
namespace {

// In pieces of every size.
TEST(BetweenMarksTest, PassesWhatIsBetween) {
  const std::string text = "prompt$ <ma<mark>the <mark> </en</end>exit</end>";
  for (size_t size = 1; size <= text.size(); ++size) {
    BetweenMarks filter("<mark>", "</end>");
    std::string left;
    for (size_t at = 0; at < text.size(); at += size) {
      absl::StrAppend(&left,
                      filter.Take(absl::string_view(text).substr(at, size)));
    }
    EXPECT_EQ(left, "the <mark> </en") << size;
  }
}

// A prompt must not wait for what follows it.
TEST(BetweenMarksTest, HoldsNothingBackThatIsNoMark) {
  BetweenMarks filter("<", "\x1b]7;e\a");
  EXPECT_EQ(filter.Take("<Password: "), "Password: ");
  EXPECT_EQ(filter.Take("\x1b["), "\x1b[");
  EXPECT_EQ(filter.Take("a\x1b]7"), "a");
  EXPECT_EQ(filter.Take("x"), "\x1b]7x");
}

TEST(BetweenMarksTest, WithoutMarksAllPasses) {
  BetweenMarks filter;
  EXPECT_EQ(filter.Take("all"), "all");
}

}  // namespace
}  // namespace berth::gateway
