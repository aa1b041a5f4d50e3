#include "cli/run/line_matcher.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::cli {
namespace {

void Write(LineMatcher& matcher, std::string text,
           v1::OutputStream stream = v1::OUTPUT_STREAM_STDOUT) {
  iovec piece = {text.data(), text.size()};
  ASSERT_TRUE(matcher
                  .Write(stream, matcher.written(), absl::MakeSpan(&piece, 1),
                         text.size())
                  .ok());
}

TEST(LineMatcher, FindsALineInPieces) {
  auto matcher = *LineMatcher::Make("^server (ready|up)$");
  Write(*matcher, "starting\nserver re");
  EXPECT_EQ(matcher->match(), std::nullopt);
  Write(*matcher, "not this\n", v1::OUTPUT_STREAM_STDERR);
  Write(*matcher, "ady\nmore\n");
  EXPECT_EQ(matcher->match(), "server ready");
  EXPECT_EQ(matcher->written(), 36u);
}

TEST(LineMatcher, TakesALastLineWithoutItsNewline) {
  auto matcher = *LineMatcher::Make("don[e]");
  Write(*matcher, "all done");
  EXPECT_EQ(matcher->match(), std::nullopt);
  ASSERT_TRUE(matcher->Flush().ok());
  EXPECT_EQ(matcher->match(), "all done");
}

TEST(LineMatcher, BoundsALineAndTakesNuls) {
  auto matcher = *LineMatcher::Make("x");
  Write(*matcher, std::string(3 * LineMatcher::kMaxLine, 'a'));
  Write(*matcher, std::string("b\0x\n", 4));
  ASSERT_TRUE(matcher->match().has_value());
  EXPECT_EQ(*matcher->match(), std::string("b\0x", 3));
}

TEST(LineMatcher, RefusesWhatIsNoExpression) {
  EXPECT_EQ(LineMatcher::Make("(").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace berth::cli
