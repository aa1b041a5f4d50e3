#include "cli/client/sessions.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

using testing::ElementsAre;

TEST(SplitListsTest, SplitsAtCommas) {
  EXPECT_THAT(SplitLists({"1,2", "web*", ",3,"}),
              ElementsAre("1", "2", "web*", "3"));
}

TEST(CheckSelectorsTest, NamesTheBadOne) {
  EXPECT_TRUE(CheckSelectors({"1", "1..3", "web*", "alice/3", "alice/"}).ok());
  EXPECT_FALSE(CheckSelectors({"/3"}).ok());
  EXPECT_FALSE(CheckSelectors({"alice/3/4"}).ok());
  const absl::Status status = CheckSelectors({"1", "3..1"});
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("3..1"));
}

struct Case {
  const char* name;
  std::vector<std::string> selectors;
  std::vector<std::string> computers;
  std::string want;  // Empty: a list is needed.
};

class LiteralRefTest : public testing::TestWithParam<Case> {};

TEST_P(LiteralRefTest, IsLiteral) {
  SessionQuery query;
  query.selectors = GetParam().selectors;
  query.computers = GetParam().computers;
  const std::optional<v1::SessionRef> ref = LiteralRef(query);
  EXPECT_EQ(ref ? ref->ShortDebugString() : "", GetParam().want);
}

constexpr char kUuid[] = "9f0c11aa-1111-4222-8333-444455556666";

INSTANTIATE_TEST_SUITE_P(
    All, LiteralRefTest,
    testing::ValuesIn<Case>({
        {"Id", {"3"}, {}, "id: 3"},
        {"IdOnComputer", {"3"}, {"web01"}, "id: 3 computer: \"web01\""},
        {"Name", {"backup"}, {}, "name: \"backup\""},
        {"InstanceId",
         {kUuid},
         {},
         "instance_id: \"9f0c11aa-1111-4222-8333-444455556666\""},
        {"PrefixOrName", {"9f0c11aa"}, {}, ""},
        {"OfAnother", {"alice/3"}, {}, "id: 3 owner: \"alice\""},
        {"AllOfAnother", {"alice/"}, {}, ""},
        {"Range", {"1..3"}, {}, ""},
        {"Wildcard", {"web*"}, {}, ""},
        {"Several", {"1", "2"}, {}, ""},
        {"SeveralComputers", {"1"}, {"a", "b"}, ""},
        {"WildcardComputer", {"1"}, {"web*"}, ""},
        {"None", {}, {}, ""},
        {"Bad", {"3..1"}, {}, ""},
    }),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace berth::cli
