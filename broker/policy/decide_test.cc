#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "broker/policy/policy.h"

namespace berth::broker {
namespace {

using ::testing::HasSubstr;

constexpr char kPolicy[] = R"(
[groups]
ops = ["olga", "otto"]

[roles.dev]
users = ["dan", "Eve"]
verbs = ["create"]
computers = ["web*", "@label:env=test"]
configurations = ["std", "py*"]

[roles.deploy]
users = ["dan"]
verbs = ["create"]
computers = ["web01"]
configurations = ["deploy"]
run_as = ["www", "app-*"]

[roles.ops]
groups = ["ops"]
verbs = ["list", "peek", "receive"]
computers = ["@all", "!@label:env=secret"]

[roles.oncall]
users = ["otto"]
verbs = ["take", "remove", "run"]
computers = ["db1"]
configurations = ["std"]

[roles.boss]
users = ["ann"]
verbs = ["admin"]

[roles.robots]
users = ["ci-*"]
verbs = ["create"]
computers = ["build[1-2]"]
run_as = ["*"]
)";

std::shared_ptr<const Policy> ThePolicy() {
  static const auto* policy = new auto(*Policy::Parse(kPolicy, "p"));
  return *policy;
}

const NodeSet::Node kWeb1 = {"web01", {}};
const NodeSet::Node kWeb2 = {"WEB02", {}};
const NodeSet::Node kTest = {"box", {{"env", "test"}}};
const NodeSet::Node kDb = {"db1", {{"env", "prod"}}};
const NodeSet::Node kSecret = {"vault", {{"env", "secret"}}};
const NodeSet::Node kBuild = {"build1", {}};

struct Case {
  const char* name;
  const char* user;
  Action action;
  // A role, or what the reason against it has.
  const char* role;
  const char* against;
};
class PolicyDecideTest : public ::testing::TestWithParam<Case> {};

TEST_P(PolicyDecideTest, SaysWhetherAndWhy) {
  const Case& c = GetParam();
  const Rights rights(ThePolicy(), c.user);
  const Decision decision = rights.Decide(c.action);
  EXPECT_EQ(decision.allowed, c.role != nullptr) << decision.why;
  EXPECT_EQ(rights.Allows(c.action), decision.allowed);
  EXPECT_EQ(decision.role, c.role == nullptr ? "" : c.role);
  EXPECT_THAT(decision.why, HasSubstr(c.role != nullptr ? c.role : c.against));
}

INSTANTIATE_TEST_SUITE_P(
    All, PolicyDecideTest,
    testing::ValuesIn<Case>({
        {"ByName", "dan", {Verb::kCreate, kWeb1, "std"}, "dev", ""},
        {"ByNameInAnyCase", "dan", {Verb::kCreate, kWeb2, "std"}, "dev", ""},
        {"ByLabel", "dan", {Verb::kCreate, kTest, "std"}, "dev", ""},
        {"ByWildcardOfConfigurations",
         "dan",
         {Verb::kCreate, kWeb1, "python"},
         "dev",
         ""},
        {"RolesAreAUnion",
         "dan",
         {Verb::kCreate, kWeb1, "deploy", "www"},
         "deploy",
         ""},
        {"AWildcardOfRunAs",
         "dan",
         {Verb::kCreate, kWeb1, "deploy", "app-x"},
         "deploy",
         ""},
        {"AsOneselfByName",
         "dan",
         {Verb::kCreate, kWeb1, "std", "dan"},
         "dev",
         ""},
        {"RolesAreNotMixed",
         "dan",
         {Verb::kCreate, kWeb1, "std", "www"},
         nullptr,
         "role 'dev' has it as self only"},
        {"NotAsOneself",
         "dan",
         {Verb::kCreate, kWeb1, "deploy"},
         nullptr,
         "role 'deploy' has it as www, app-* only, not as dan"},
        {"SelfIsNoUser",
         "dan",
         {Verb::kCreate, kWeb1, "std", "self"},
         nullptr,
         "has it as self only"},
        {"OtherComputer",
         "dan",
         {Verb::kCreate, kDb, "std"},
         nullptr,
         "role 'deploy' has 'create', but on web01 only"},
        {"OtherConfiguration",
         "dan",
         {Verb::kCreate, kTest, "root"},
         nullptr,
         "role 'dev' has it with configuration std, py* only"},
        {"ConfigurationsHaveCases",
         "dan",
         {Verb::kCreate, kWeb1, "STD"},
         nullptr,
         "configuration 'STD'"},
        {"NoConfigurationIsAny",
         "dan",
         {Verb::kCreate, kTest},
         nullptr,
         "configuration std, py* only"},
        {"UsersHaveCases",
         "eve",
         {Verb::kCreate, kWeb1, "std"},
         nullptr,
         "no role has user 'eve'"},
        {"UsersHaveCases2", "Eve", {Verb::kCreate, kWeb1, "std"}, "dev", ""},
        {"OtherVerb",
         "dan",
         {Verb::kPeek, kWeb1, "std"},
         nullptr,
         "no role of user 'dan' (deploy, dev) grants 'peek' on 'web01' with "
         "configuration 'std': role 'deploy' has create"},
        {"ByGroup", "olga", {Verb::kPeek, kWeb1, "any"}, "ops", ""},
        {"ByGroupWithAnyConfiguration",
         "olga",
         {Verb::kReceive, kDb},
         "ops",
         ""},
        {"NotOnWhatIsExcluded",
         "olga",
         {Verb::kPeek, kSecret, "std"},
         nullptr,
         "role 'ops' has 'peek', but on @all, !@label:env=secret only"},
        {"NoRightFromAnother",
         "olga",
         {Verb::kTake, kDb, "std"},
         nullptr,
         "role 'ops' has list, peek, receive"},
        {"ListIsNotCreate",
         "olga",
         {Verb::kCreate, kWeb1, "std"},
         nullptr,
         "(ops) grants 'create'"},
        {"ByUserAndGroup", "otto", {Verb::kTake, kDb, "std"}, "oncall", ""},
        {"RunAsIsSettledInOthersSessions",
         "otto",
         {Verb::kRun, kDb, "std", "root"},
         "oncall",
         ""},
        {"RemoveOnOneOnly",
         "otto",
         {Verb::kRemove, kWeb1, "std"},
         nullptr,
         "role 'oncall' has 'remove', but on db1 only"},
        {"Admin", "ann", {Verb::kAdmin, {}}, "boss", ""},
        {"AdminIsNothingElse",
         "ann",
         {Verb::kPeek, kWeb1},
         nullptr,
         "role 'boss' has admin"},
        {"NoAdmin", "dan", {Verb::kAdmin, {}}, nullptr, "grants 'admin'"},
        {"UsersByWildcard",
         "ci-7",
         {Verb::kCreate, kBuild, "x", "root"},
         "robots",
         ""},
        {"AnyoneIsOneself", "ci-7", {Verb::kCreate, kBuild, "x"}, "robots", ""},
        {"AnyoneIsSelf",
         "ci-7",
         {Verb::kCreate, kBuild, "x", "self"},
         "robots",
         ""},
        {"UsersByWildcardInCase",
         "CI-7",
         {Verb::kCreate, kBuild, "x"},
         nullptr,
         "no role has user 'CI-7'"},
        {"Nobody",
         "mallory",
         {Verb::kList, kWeb1},
         nullptr,
         "no role has user 'mallory'"},
        {"EscapesNames",
         "a\x1b[2J",
         {Verb::kList, kWeb1},
         nullptr,
         "user 'a\\x1b[2J'"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PolicyRightsTest, SaysWhereAnythingIsGranted) {
  const Rights dan(ThePolicy(), "dan");
  EXPECT_TRUE(dan.HasAnyOn(kWeb1));
  EXPECT_TRUE(dan.HasAnyOn(kTest));
  EXPECT_FALSE(dan.HasAnyOn(kDb));
  EXPECT_FALSE(Rights(ThePolicy(), "mallory").HasAnyOn(kWeb1));
  EXPECT_FALSE(Rights(ThePolicy(), "olga").HasAnyOn(kSecret));
  EXPECT_TRUE(dan.HasSomewhere(Verb::kCreate));
  EXPECT_FALSE(dan.HasSomewhere(Verb::kList));
}

TEST(PolicyWhoCanTest, ListsUsersWithTheirRoles) {
  using Found = std::map<std::string, std::vector<std::string>>;
  EXPECT_EQ(ThePolicy()->WhoCan({Verb::kPeek, kWeb1, "std"}),
            (Found{{"olga", {"ops"}}, {"otto", {"ops"}}}));
  EXPECT_EQ(ThePolicy()->WhoCan({Verb::kCreate, kWeb1, "std"}),
            (Found{{"Eve", {"dev"}}, {"dan", {"dev"}}}));
  EXPECT_EQ(ThePolicy()->WhoCan({Verb::kCreate, kBuild, "std"}),
            (Found{{"ci-*", {"robots"}}}));
  EXPECT_EQ(ThePolicy()->WhoCan({Verb::kAdmin, {}}),
            (Found{{"ann", {"boss"}}}));
  EXPECT_TRUE(ThePolicy()->WhoCan({Verb::kCopy, kWeb1}).empty());
}

TEST(PolicyWhoCanTest, AgreesWithWhatIsDecided) {
  const auto policy = ThePolicy();
  for (const Verb verb : kVerbs) {
    for (const NodeSet::Node& node : {kWeb1, kTest, kDb, kSecret}) {
      for (const char* configuration : {"std", "deploy"}) {
        const Action action{verb, node, configuration};
        const auto found = policy->WhoCan(action);
        for (const char* user : {"dan", "Eve", "olga", "otto", "ann", "bob"}) {
          EXPECT_EQ(found.count(user) == 1, Rights(policy, user).Allows(action))
              << user << " " << VerbName(verb) << " " << node.name;
        }
      }
    }
  }
}

TEST(PolicyVerbTest, NamesThemAll) {
  for (const Verb verb : kVerbs) {
    EXPECT_EQ(*ParseVerb(VerbName(verb)), verb);
  }
  EXPECT_FALSE(ParseVerb("").ok());
  EXPECT_FALSE(ParseVerb("Run").ok());
}

}  // namespace
}  // namespace berth::broker
