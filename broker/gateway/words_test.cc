#include "broker/gateway/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"

namespace berth::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(WordsTest, SplitsAsAShellDoes) {
  EXPECT_THAT(*SplitWords(""), IsEmpty());
  EXPECT_THAT(*SplitWords(" \t\n"), IsEmpty());
  EXPECT_THAT(*SplitWords(" ls  -c web01 "), ElementsAre("ls", "-c", "web01"));
  EXPECT_THAT(*SplitWords("ls '' \"\""), ElementsAre("ls", "", ""));
  EXPECT_THAT(*SplitWords("a'b c'd"), ElementsAre("ab cd"));
  EXPECT_THAT(*SplitWords("\"a 'b' \\\"c\\\" \\n\""),
              ElementsAre("a 'b' \"c\" \\n"));
  EXPECT_THAT(*SplitWords("a\\ b '\\'"), ElementsAre("a b", "\\"));
  EXPECT_THAT(*SplitWords("$HOME `id` *"), ElementsAre("$HOME", "`id`", "*"));
}

TEST(WordsTest, RefusesWhatIsNotClosed) {
  for (const char* line : {"'", "\"a", "a '", "a\\"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(SplitWords(line).status())) << line;
  }
}

}  // namespace
}  // namespace berth::gateway
