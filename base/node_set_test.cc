#include "base/node_set.h"

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth {
namespace {

using ::testing::HasSubstr;

const std::vector<NodeSet::Node> kFleet = {
    {"db1", {{"role", "db"}, {"site", "east"}}},
    {"db2", {{"role", "db"}, {"site", "west"}}},
    {"web01", {{"role", "web"}, {"site", "east"}}},
    {"web02", {{"role", "web"}}},
    {"web03", {{"canary", ""}}},
};

// The names joined, or the error.
std::string Resolved(const std::string& text, const std::string& without = "") {
  const auto set = NodeSet::Parse({text}, {without});
  if (!set.ok()) return std::string(set.status().message());
  const auto names = set->Resolve(kFleet);
  return names.ok() ? absl::StrJoin(*names, " ")
                    : std::string(names.status().message());
}

std::string Expanded(const std::string& text) {
  const auto set = NodeSet::Parse({text});
  if (!set.ok()) return std::string(set.status().message());
  EXPECT_FALSE(set->needs_nodes()) << text;
  return absl::StrJoin(set->Names(), " ");
}

struct Case {
  std::string name;
  std::string text;
  std::string want;
};

class ExpandTest : public ::testing::TestWithParam<Case> {};

TEST_P(ExpandTest, GivesTheNames) {
  EXPECT_EQ(Expanded(GetParam().text), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    All, ExpandTest,
    ::testing::ValuesIn<Case>({
        {"One", "web01", "web01"},
        {"List", "web01,db1", "web01 db1"},
        {"Range", "web[8-11]", "web8 web9 web10 web11"},
        {"Padding", "web[08-11]", "web08 web09 web10 web11"},
        {"PaddingOutgrown", "w[99-101]", "w99 w100 w101"},
        {"RangesAndNumbers", "w[1-2,7]", "w1 w2 w7"},
        {"Product", "a[1-2]-b[1-2].x", "a1-b1.x a1-b2.x a2-b1.x a2-b2.x"},
        {"CommaOutside", "w[1,3],db1", "w1 w3 db1"},
        {"Doubles", "w1,w[1-2],w2", "w1 w2"},
        {"Empty", "", ""},
        {"Exclusion", "w[1-4],!w[2-3]", "w1 w4"},
        {"ExclusionFirst", "!w2,w[1-3]", "w1 w3"},
        {"ExclusionByWildcard", "w[1-2],db1,!w*", "db1"},
        {"Intersection", "w[1-5]&w[4-9]", "w4 w5"},
    }),
    [](const auto& info) { return info.param.name; });

class BadSetTest : public ::testing::TestWithParam<Case> {};

TEST_P(BadSetTest, SaysWhatIsWrong) {
  EXPECT_THAT(Expanded(GetParam().text), HasSubstr(GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadSetTest,
    ::testing::ValuesIn<Case>({
        {"Open", "web[1-2", "'[' without ']'"},
        {"Close", "web1]", "']' without '['"},
        {"NoNumber", "web[a-b]", "numbers and ranges"},
        {"NoRange", "web[]", "numbers and ranges"},
        {"Backwards", "web[3-1]", "ends before it begins"},
        {"LongNumber", "web[1-99999999999999999999]", "numbers and ranges"},
        {"Group", "@rack1", "use @all, @label:NAME"},
        {"NoLabel", "@label:=x", "label's name is missing"},
        {"BadName", "we b", "computer 'we b' is not allowed"},
        {"Nothing", "!", "a name is missing"},
        {"WildcardRange", "w*[1-2]", "can't be used together"},
        {"Escapes", "w[\x1b]", "\\x1b"},
    }),
    [](const auto& info) { return info.param.name; });

TEST(NodeSetTest, IsBounded) {
  EXPECT_EQ(NodeSet::Parse({"w[1-100000]"})->Names().size(), 100000u);
  for (const char* text :
       {"w[1-100001]", "w[0-999999999999999]", "w[1-400]-[1-400]",
        "w[1-60000],v[1-60000]", "w[1-9][1-9][1-9][1-9][1-9][1-9][1-9]"}) {
    const auto set = NodeSet::Parse({text});
    EXPECT_TRUE(absl::IsResourceExhausted(set.status())) << text;
    EXPECT_THAT(std::string(set.status().message()), HasSubstr("100000"));
  }
}

TEST(NodeSetTest, PicksFromTheFleet) {
  EXPECT_EQ(Resolved("@all"), "db1 db2 web01 web02 web03");
  EXPECT_EQ(Resolved("web*"), "web01 web02 web03");
  EXPECT_EQ(Resolved("WEB01"), "web01");
  EXPECT_EQ(Resolved("web02,db?"), "web02 db1 db2");
  EXPECT_EQ(Resolved("@label:role=db"), "db1 db2");
  EXPECT_EQ(Resolved("@label:site=e*"), "db1 web01");
  EXPECT_EQ(Resolved("@label:canary"), "web03");
  EXPECT_EQ(Resolved("@label:role=db&@label:site=west"), "db2");
  EXPECT_EQ(Resolved("@all,!web*,!db2"), "db1");
  EXPECT_EQ(Resolved("!web*"), "db1 db2");
  EXPECT_EQ(Resolved("@all", "@label:role"), "web03");
  EXPECT_EQ(Resolved("nope*"), "");
}

TEST(NodeSetTest, NamesWhatIsNotThere) {
  EXPECT_EQ(Resolved("web[01-06],db9"),
            "no computer 'db9,web[04-06]'; see 'berth computers'");
  EXPECT_EQ(Resolved("web01,nope,!nope"), "web01");
}

TEST(NodeSetTest, KnowsWhatBrokersUnderstand) {
  EXPECT_TRUE(NodeSet::Parse({"web[1-2],db*"})->is_plain());
  EXPECT_EQ(absl::StrJoin(NodeSet::Parse({"w[1-2],d*"})->PlainNames(), " "),
            "w1 w2 d*");
  EXPECT_FALSE(NodeSet::Parse({"@all"})->is_plain());
  EXPECT_FALSE(NodeSet::Parse({"web1"}, {"web2"})->is_plain());
  EXPECT_TRUE(NodeSet::Parse({"w1"}, {"@label:x"})->needs_nodes());
  EXPECT_FALSE(NodeSet::Parse({"w1"}, {"w*"})->needs_nodes());
  EXPECT_TRUE(NodeSet::Parse({})->empty());
}

}  // namespace
}  // namespace berth
