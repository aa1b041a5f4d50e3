#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "broker/policy/policy.h"

namespace berth::broker {
namespace {

using ::testing::HasSubstr;

// A role that is complete, but for `line`.
std::string RoleWith(const std::string& line) {
  return absl::StrCat("[roles.r]\nusers = [\"u\"]\nverbs = [\"create\"]\n",
                      "computers = [\"web*\"]\n", line, "\n");
}

TEST(PolicyParseTest, ReadsWhatARoleSays) {
  const auto policy = Policy::Parse(R"(
# Roles may come first.
[roles.dba]
users = ["carol", "db-*"]
groups = ["ops"]
verbs = ["create", "peek"]
computers = ["@label:role=db", "db[1-3]", "!db2"]
configurations = ["std", "py*"]
run_as = ["self", "postgres"]

[groups]
ops = ["alice", "bob"]
)",
                                    "p");
  ASSERT_TRUE(policy.ok()) << policy.status();
  ASSERT_EQ((*policy)->roles().size(), 1u);
  const Role& role = (*policy)->roles()[0];
  EXPECT_EQ(role.name, "dba");
  EXPECT_TRUE(role.HasUser("carol"));
  EXPECT_TRUE(role.HasUser("db-x"));
  EXPECT_TRUE(role.HasUser("bob"));
  EXPECT_FALSE(role.HasUser("ops"));
  EXPECT_EQ(role.verbs.ToString(), "create, peek");
  EXPECT_TRUE(role.computers->Has({"DB1", {}}));
  EXPECT_FALSE(role.computers->Has({"db2", {{"role", "db"}}}));
  EXPECT_TRUE(role.computers->Has({"x", {{"role", "db"}}}));
  EXPECT_EQ(role.configurations.ToString(), "std, py*");
  EXPECT_EQ(role.run_as.ToString(), "self, postgres");
}

TEST(PolicyParseTest, WhatIsNotSaidIsEveryConfigurationAndOneself) {
  const auto policy = Policy::Parse(RoleWith(""), "p");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ((*policy)->roles()[0].configurations.ToString(), "*");
  EXPECT_EQ((*policy)->roles()[0].run_as.ToString(), "self");
}

TEST(PolicyParseTest, AnEmptyFileDeniesEverything) {
  const auto policy = Policy::Parse("", "p");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_TRUE((*policy)->roles().empty());
}

TEST(PolicyParseTest, TheBuiltInOneCanBeRead) {
  const auto policy = Policy::Parse(Policy::BuiltInText(), "built-in");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_TRUE(Rights(*policy, "anybody")
                  .Allows({.verb = Verb::kCreate,
                           .computer = {"web01", {}},
                           .configuration = "std"}));
}

TEST(PolicyParseTest, AdminNeedsNoComputers) {
  EXPECT_TRUE(
      Policy::Parse("[roles.a]\nusers = [\"x\"]\nverbs = [\"admin\"]", "p")
          .ok());
}

struct Bad {
  const char* name;
  std::string text;
  const char* error;
};
class PolicyParseErrorTest : public ::testing::TestWithParam<Bad> {};

TEST_P(PolicyParseErrorTest, SaysWhereAndWhat) {
  const auto policy = Policy::Parse(GetParam().text, "p");
  ASSERT_EQ(policy.status().code(), absl::StatusCode::kInvalidArgument)
      << policy.status();
  EXPECT_THAT(std::string(policy.status().message()),
              HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    All, PolicyParseErrorTest,
    testing::ValuesIn<Bad>({
        {"NotToml", "[roles", "p:1: "},
        {"UnknownKey", "\nrules = 1", "p:2: no key 'rules'; there are groups"},
        {"ControlBytesInAKey", "\"a\\u001b[2J\" = 1", "'a\\x1b[2J'"},
        {"RolesNoTable", "roles = 1", "p:1: roles: must be tables"},
        {"GroupsNoTable", "groups = []", "p:1: groups: must be a table"},
        {"RoleNoTable", "[roles]\nops = 1", "p:2: role 'ops': must be a table"},
        {"BadRoleName", "[roles.\"a b\"]\n", "role 'a b' is not allowed"},
        {"BadGroupName", "[groups]\n\"-a\" = [\"x\"]", "group '-a' is not"},
        {"GroupNoList", "[groups]\na = \"x\"",
         "p:2: group 'a': must be a list"},
        {"GroupEmpty", "[groups]\na = []", "group 'a': must be a list"},
        {"GroupBadMember", "[groups]\na = [\"x/y\"]", "user 'x/y' is not"},
        {"UnknownRoleKey", RoleWith("verb = [\"run\"]"),
         "p:5: role 'r': no key 'verb'; there are users"},
        {"NoSuchGroup", RoleWith("groups = [\"ops\"]"),
         "p:5: role 'r', groups: no group 'ops'; make it in [groups]"},
        {"NoSuchVerb",
         "[roles.r]\nusers=[\"u\"]\nverbs=[\"fly\"]\ncomputers=[\"*\"]",
         "p:3: role 'r', verbs: no verb 'fly'; there are list, create, run"},
        {"VerbNoText", "[roles.r]\nusers=[\"u\"]\nverbs=[1]\ncomputers=[\"*\"]",
         "role 'r', verbs: must be a list of texts"},
        {"BadComputers",
         "[roles.r]\nusers=[\"u\"]\nverbs=[\"run\"]\ncomputers=[\"web[1\"]",
         "p:4: role 'r', computers: set of computers 'web[1'"},
        {"NoComputersWritten",
         "[roles.r]\nusers=[\"u\"]\nverbs=[\"run\"]\ncomputers=[\" , \"]",
         "role 'r', computers: names no computers"},
        {"NoComputers", "[roles.r]\nusers=[\"u\"]\nverbs=[\"run\"]",
         "role 'r': names no computers; for all"},
        {"TooManyComputers",
         "[roles.a]\nusers=[\"u\"]\nverbs=[\"run\"]\ncomputers=[\"w[1-60000]\"]"
         "\n"
         "[roles.b]\nusers=[\"u\"]\nverbs=[\"run\"]\ncomputers=[\"w[1-60000]\"]"
         "\n",
         "all roles name over 100000 computers"},
        {"NoUsers", "[roles.r]\nverbs=[\"run\"]\ncomputers=[\"*\"]",
         "p:1: role 'r': names nobody"},
        {"NoVerbs", "[roles.r]\nusers=[\"u\"]\ncomputers=[\"*\"]",
         "role 'r': has no verbs"},
        {"AdminOfSome",
         "[roles.r]\nusers=[\"u\"]\nverbs=[\"admin\"]\ncomputers=[\"web*\"]",
         "role 'r': 'admin' is for the whole fleet"},
        {"BadUser", "[roles.r]\nusers=[\"a b\"]\n",
         "user 'a b' is not allowed"},
        {"BadWildcard", "[roles.r]\nusers=[\"a/*\"]\n",
         "user 'a/*' is no wildcard over names"},
        {"BadConfiguration", RoleWith("configurations = [\"\"]"),
         "role 'r', configurations: must be a list of texts"},
        {"BadRunAs", RoleWith("run_as = [\"$HOME\"]"), "'$HOME' is not"},
        {"TwoRolesOfOneName",
         absl::StrCat(RoleWith(""), "[roles.r]\nusers = [\"x\"]\n"), "p:6: "},
        {"TooLong", std::string(Policy::kMaxBytes + 1, '\n'),
         "a policy of 262145 bytes; 262144 at most"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PolicyApprovalTest, SaysHowManyAndWho) {
  const auto role = [](const std::string& more) {
    return Policy::Parse(
        "[roles.r]\nusers = [\"dan\"]\nverbs = [\"create\"]\n"
        "computers = [\"*\"]\n" +
            more,
        "p");
  };
  const auto good =
      role("approvals = 2\napprovers = [\"amy\"]\napproved_for = \"2h\"\n");
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_EQ((*good)->roles()[0].approvals, 2);
  EXPECT_EQ((*good)->roles()[0].approved_for, absl::Hours(2));
  EXPECT_TRUE((*good)->roles()[0].HasApprover("amy"));
  for (const char* bad :
       {"approvals = 2\n", "approvals = 0\napprovers = [\"amy\"]\n",
        "approvals = 6\napprovers = [\"amy\"]\n",
        "approvals = \"2\"\napprovers = [\"amy\"]\n", "approvers = [\"amy\"]\n",
        "approved_for = \"1h\"\n",
        "approvals = 1\napprovers = [\"amy\"]\napproved_for = \"25h\"\n",
        "approvals = 1\napprovers = [\"amy\"]\napproved_for = \"-1h\"\n",
        "approvals = 1\napprover_groups = [\"nosuch\"]\n"}) {
    EXPECT_EQ(role(bad).status().code(), absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

TEST(PolicyModerationTest, IsForRolesThatLetSomebodyWork) {
  const auto role = [](const std::string& more) {
    return Policy::Parse(
        "[roles.r]\nusers = [\"dan\"]\ncomputers = [\"*\"]\n" + more, "p");
  };
  const auto good = role("verbs = [\"enter\"]\nmoderated = true\n");
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_TRUE((*good)->moderates());
  EXPECT_FALSE(
      (*role("verbs = [\"enter\"]\nmoderated = false\n"))->moderates());
  EXPECT_FALSE((*role("verbs = [\"peek\"]\n"))->moderates());
  EXPECT_THAT(role("verbs = [\"peek\"]\nmoderated = true\n").status().message(),
              HasSubstr("lets nobody work in a session"));
  EXPECT_THAT(role("verbs = [\"run\"]\nmoderated = 1\n").status().message(),
              HasSubstr("must be true or false"));
}

TEST(PolicyModerationTest, ARoleWithoutItCountsForWhatItGrants) {
  const auto policy = Policy::Parse(
      "[roles.prod]\nusers = [\"dan\"]\nverbs = [\"create\", \"run\"]\n"
      "computers = [\"db*\"]\nrun_as = [\"root\", \"self\"]\n"
      "moderated = true\n"
      "[roles.lab]\nusers = [\"dan\"]\nverbs = [\"create\"]\n"
      "computers = [\"db1\"]\n"
      "[roles.late]\nusers = [\"eve\"]\nverbs = [\"create\"]\n"
      "computers = [\"*\"]\nmoderated = true\napprovals = 1\n"
      "approvers = [\"amy\"]\n",
      "p");
  ASSERT_TRUE(policy.ok()) << policy.status();
  const auto by = [&](const std::string& user, Verb verb,
                      const std::string& computer, const std::string& run_as) {
    return Rights(*policy, user)
        .ModeratedBy(
            {.verb = verb, .computer = {.name = computer}, .run_as = run_as});
  };
  EXPECT_EQ(by("dan", Verb::kCreate, "db2", "dan"), "prod");
  EXPECT_EQ(by("dan", Verb::kCreate, "db1", "dan"), "");
  EXPECT_EQ(by("dan", Verb::kCreate, "db1", "root"), "prod");
  EXPECT_EQ(by("dan", Verb::kRun, "db1", ""), "prod");
  EXPECT_EQ(by("dan", Verb::kCreate, "web1", "dan"), "");
  // What was begun with an approval needs its observer also after that.
  EXPECT_EQ(by("eve", Verb::kCreate, "web1", "eve"), "late");
  EXPECT_EQ(by("amy", Verb::kCreate, "db2", "amy"), "");
  EXPECT_THAT(Rights(*policy, "dan")
                  .Decide({.verb = Verb::kRun, .computer = {.name = "db1"}})
                  .why,
              HasSubstr("while somebody else watches"));
}

TEST(PolicyApprovalTest, GrantsNothingBefore) {
  const auto policy = Policy::Parse(
      "[roles.prod]\nusers = [\"dan\"]\nverbs = [\"create\"]\n"
      "computers = [\"db*\"]\napprovals = 1\napprovers = [\"amy\"]\n",
      "p");
  ASSERT_TRUE(policy.ok()) << policy.status();
  const Action action{.verb = Verb::kCreate, .computer = {.name = "db1"}};
  const Rights before(*policy, "dan");
  EXPECT_FALSE(before.Allows(action));
  EXPECT_NE(before.Decide(action).why.find(
                "only after 1 approval; ask for it with 'berth approval "
                "request prod'"),
            std::string::npos)
      << before.Decide(action).why;
  // They may know that the computer is there.
  EXPECT_TRUE(before.HasAnyOn(action.computer));
  EXPECT_FALSE(Rights(*policy, "amy").HasAnyOn(action.computer));
  EXPECT_TRUE(Rights(*policy, "dan", [](const Role& role) {
                return role.name == "prod";
              }).Allows(action));
  EXPECT_EQ((*policy)->WhoCan(action).at("dan"),
            std::vector<std::string>{"prod (after 1 approval)"});
}

}  // namespace
}  // namespace berth::broker
