#include "base/selector.h"

#include "gtest/gtest.h"

namespace berth {
namespace {

constexpr char kUuid[] = "9f0c11aa-1b2c-4d5e-8f90-0123456789ab";

struct Case {
  const char* name;
  const char* selector;
  uint32_t id;
  const char* session_name;
  bool want;
};

class SelectorTest : public testing::TestWithParam<Case> {};

TEST_P(SelectorTest, Matches) {
  auto selector = ParseSelector(GetParam().selector);
  ASSERT_TRUE(selector.ok()) << selector.status();
  EXPECT_EQ(selector->Matches(GetParam().id, GetParam().session_name, kUuid),
            GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    All, SelectorTest,
    testing::ValuesIn<Case>({
        {"Id", "3", 3, "x", true},
        {"OtherId", "3", 33, "x", false},
        {"Range", "1..3", 3, "x", true},
        {"OutsideRange", "1..3", 4, "x", false},
        {"NameWithoutCase", "WEB1", 9, "web1", true},
        {"NameIsNoPrefix", "web", 9, "web1", false},
        {"Wildcard", "web*", 9, "web1", true},
        {"InstanceId", "9f0c11aa-1b2c-4d5e-8f90-0123456789ab", 9, "x", true},
        {"InstanceIdPrefix", "9f0c", 9, "x", true},
        {"PrefixTooShort", "9f0", 9, "x", false},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ParseSelectorTest, RefusesNonsense) {
  for (const char* text :
       {"", "0", "99999999999", "3..1", "a b", "-x", "1..", "\x1b[2J"}) {
    EXPECT_EQ(ParseSelector(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(ParseSelectorTest, KnowsLiterals) {
  EXPECT_TRUE(ParseSelector("3")->is_literal());
  EXPECT_TRUE(ParseSelector("web1")->is_literal());
  EXPECT_FALSE(ParseSelector("web*")->is_literal());
  EXPECT_FALSE(ParseSelector("1..3")->is_literal());
}

}  // namespace
}  // namespace berth
