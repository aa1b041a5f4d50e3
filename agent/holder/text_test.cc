#include "agent/holder/text.h"

#include <gtest/gtest.h>

namespace berth::holder {
namespace {

struct Case {
  const char* name;
  const char* text;
  const char* want;
};

class ValidTextTest : public testing::TestWithParam<Case> {};

TEST_P(ValidTextTest, Replaces) {
  EXPECT_EQ(ValidText(GetParam().text, 100), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(All, ValidTextTest,
                         testing::ValuesIn<Case>({
                             {"Ascii", "plain", "plain"},
                             {"AllLengths", "aé世🎉", "aé世🎉"},
                             {"LoneByte", "a\xff", "a?"},
                             {"CutOff", "a\xe4\xb8", "a??"},
                             {"Overlong", "\xc0\xaf", "??"},
                             {"OverlongThree", "\xe0\x80\xaf", "???"},
                             {"Surrogate", "\xed\xa0\x80", "???"},
                             {"TooLarge", "\xf4\x90\x80\x80", "????"},
                             {"Continuation", "\x80z", "?z"},
                         }),
                         [](const auto& info) {
                           return std::string(info.param.name);
                         });

TEST(ValidTextTest, CutsBetweenCharacters) {
  EXPECT_EQ(ValidText("aé世", 6), "aé世");
  EXPECT_EQ(ValidText("aé世", 5), "aé");
  EXPECT_EQ(ValidText("aé世", 2), "a");
  EXPECT_EQ(ValidText("aé世", 0), "");
}

}  // namespace
}  // namespace berth::holder
