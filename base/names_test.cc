#include "base/names.h"

#include <string>

#include "gtest/gtest.h"

namespace berth {
namespace {

TEST(CheckNameTest, TakesOrdinaryNames) {
  for (const char* name : {"web01", "a", "Server-1.example_x", "1a"}) {
    EXPECT_TRUE(CheckName("computer", name).ok()) << name;
  }
}

TEST(CheckNameTest, RefusesWhatWouldBeSomethingElse) {
  for (const std::string& name :
       {std::string(), std::string("12"), std::string("-x"), std::string("a b"),
        std::string("a/b"), std::string("é"), std::string(65, 'x'),
        std::string("a\n")}) {
    EXPECT_EQ(CheckName("computer", name).code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
}

TEST(MatchesWildcardTest, Matches) {
  EXPECT_TRUE(MatchesWildcard("web*", "Web01"));
  EXPECT_TRUE(MatchesWildcard("*", ""));
  EXPECT_TRUE(MatchesWildcard("w?b*1", "wxb-201"));
  EXPECT_TRUE(MatchesWildcard("*a*b", "xaxbxab"));
  EXPECT_FALSE(MatchesWildcard("web*", "we"));
  EXPECT_FALSE(MatchesWildcard("web?", "web"));
  EXPECT_FALSE(MatchesWildcard("", "a"));
}

TEST(MatchesWildcardTest, TakesBoundedTimeOnHostilePatterns) {
  std::string pattern;
  for (int i = 0; i < 5000; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesWildcard(pattern + "b", std::string(10000, 'a')));
}

}  // namespace
}  // namespace berth
