#include "base/node_fold.h"

#include "base/node_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

TEST(FoldNamesTest, Folds) {
  EXPECT_EQ(FoldNames({}), "");
  EXPECT_EQ(FoldNames({"web01"}), "web01");
  EXPECT_EQ(FoldNames({"web02", "web01", "web03", "web07"}), "web[01-03,07]");
  EXPECT_EQ(FoldNames({"db1", "web1", "db2"}), "db[1-2],web1");
  EXPECT_EQ(FoldNames({"w8", "w9", "w10"}), "w[8-10]");
  EXPECT_EQ(FoldNames({"w08", "w09", "w10", "w9"}), "w[9,08-10]");
  EXPECT_EQ(FoldNames({"a1-b1", "a1-b2", "a2-b1", "a2-b2"}), "a[1-2]-b[1-2]");
  EXPECT_EQ(FoldNames({"10.0.0.1", "10.0.0.2"}), "10.0.0.[1-2]");
  EXPECT_EQ(FoldNames({"w1", "w1"}), "w1");
  EXPECT_EQ(FoldNames({"w1234567890123456789", "w2"}),
            "w1234567890123456789,w2");
}

TEST(FoldNamesTest, GivesTheSameNamesBack) {
  const std::string text = "a[1-12]-b[08-11],c[5,7,100]x,d,e001";
  const std::string folded = FoldNames(NodeSet::Parse({text})->Names());
  auto want = NodeSet::Parse({text})->Names();
  EXPECT_THAT(NodeSet::Parse({folded})->Names(),
              ::testing::UnorderedElementsAreArray(want));
  EXPECT_LT(folded.size(), text.size() + 8);
}

}  // namespace
}  // namespace berth
