#include "cli/render/line_tagger.h"

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

TEST(LineTaggerTest, TagsEachLine) {
  LineTagger tagger("web01: ");
  EXPECT_EQ(tagger.Add(0, "a\nb\n"), "web01: a\nweb01: b\n");
  EXPECT_EQ(tagger.kept_offset(), std::nullopt);
  EXPECT_EQ(tagger.Flush(), "");
}

TEST(LineTaggerTest, KeepsALineUntilItIsComplete) {
  LineTagger tagger("x: ");
  EXPECT_EQ(tagger.Add(10, "one\ntw"), "x: one\n");
  EXPECT_EQ(tagger.kept_offset(), 14u);
  EXPECT_EQ(tagger.Add(16, "o"), "");
  EXPECT_EQ(tagger.kept_offset(), 14u);
  EXPECT_EQ(tagger.Add(17, "\n\nthree"), "x: two\nx: \n");
  EXPECT_EQ(tagger.kept_offset(), 19u);
  EXPECT_EQ(tagger.Flush(), "x: three\n");
  EXPECT_EQ(tagger.kept_offset(), std::nullopt);
}

TEST(LineTaggerTest, BytesPassAsTheyAre) {
  LineTagger tagger("x: ");
  const std::string bytes("a\0\xff\r\n", 5);
  EXPECT_EQ(tagger.Add(0, bytes), "x: " + bytes);
}

TEST(LineTaggerTest, LetsAnEndlessLineOutInParts) {
  LineTagger tagger("x: ");
  const std::string piece(LineTagger::kLongestLine / 2 + 1, 'z');
  EXPECT_EQ(tagger.Add(0, piece), "");
  EXPECT_EQ(tagger.Add(piece.size(), piece), "x: " + piece + piece + "\n");
  EXPECT_EQ(tagger.kept_offset(), std::nullopt);
}

}  // namespace
}  // namespace berth::cli
