#include "agent/sessions/run_as.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::HasSubstr;

Account Make(const std::string& name, uid_t user,
             const std::string& shell = "/bin/bash") {
  return {name, user, user, {user}, "/home/" + name, shell};
}

const std::map<std::string, Account>& Accounts() {
  static const auto* const accounts = new std::map<std::string, Account>{
      {"root", Make("root", 0)},
      {"alice", Make("alice", 1000)},
      {"al", Make("al", 1001)},
      {"web-app", Make("web-app", 1002)},
      {"ghost", Make("ghost", 1003, "/usr/sbin/nologin")},
      {"postgres", Make("postgres", 107)},
      {"nobody", Make("nobody", 65534)},
      {"toor", Make("toor", 0)},
  };
  return *accounts;
}

absl::StatusOr<Account> FindFake(const std::string& name) {
  const auto it = Accounts().find(name);
  if (it == Accounts().end()) return absl::NotFoundError("no account");
  return it->second;
}

struct Case {
  std::string name;
  std::string rule;
  std::string account;
  std::string want;  // "!text": it is refused, with that in the message.
  std::string owner = "alice";
  std::string agent = "root";
};

class RunAsTest : public ::testing::TestWithParam<Case> {
 protected:
  RunAsRules rules_ = {.run_as = "agent",
                       .users = {{"bob", "al"}, {"eve", "root"}},
                       .allowed = {"web-*", "post*", "ghost"},
                       .denied = {"web-old"},
                       .owners = {},
                       .holder_user = "berth-holder",
                       .pam = ""};
};

TEST_P(RunAsTest, Decides) {
  const Case& it = GetParam();
  const auto account =
      DecideRunAs(rules_, {it.owner, it.account, it.rule, "web01"},
                  Accounts().at(it.agent), FindFake);
  if (it.want[0] == '!') {
    ASSERT_FALSE(account.ok()) << account->name;
    EXPECT_THAT(std::string(account.status().message()),
                HasSubstr(it.want.substr(1)));
  } else {
    ASSERT_TRUE(account.ok()) << account.status();
    EXPECT_EQ(account->name, it.want);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RunAsTest,
    ::testing::ValuesIn<Case>({
        {"AsTheAgentWhereNothingIsSaid", "", "", "root"},
        {"CallersOwn", "caller", "", "alice"},
        {"CallersMapped", "caller", "", "al", "bob"},
        {"CallerWithoutAccount", "caller", "", "!has no account 'carl'",
         "carl"},
        {"CallerNamedRootIsNotRoot", "caller", "", "!it is root's", "root"},
        {"CallerMappedToRootIsNotRoot", "caller", "", "!it is root's", "eve"},
        {"RootByAnotherName", "caller", "", "!it is root's", "toor"},
        {"CallerNamedAsAService", "caller", "", "!it is the system's",
         "postgres"},
        {"Nobody", "caller", "", "!it is the system's", "nobody"},
        {"AFixedAccount", "web-app", "", "web-app"},
        {"AFixedSystemAccount", "postgres", "", "!it is the system's"},
        {"AsksForTheOwn", "caller", "alice", "alice"},
        {"AsksForOneThatAPatternAllows", "caller", "web-app", "web-app"},
        {"AsksForAnother", "caller", "al", "!does not have it"},
        {"AsksForRoot", "caller", "root", "!it is root's"},
        {"AsksForRootWhereTheAgentsOwnIsTheRule", "agent", "root", "root"},
        {"APatternNamesNoSystemAccount", "caller", "postgres",
         "!it is the system's"},
        {"OneNamedNeedNotLogIn", "caller", "ghost", "ghost"},
        {"AsksForAnUnknownOne", "caller", "zed\x1b[m", "!has no account 'zed"},
        {"NotRootsAgentIsItself", "", "", "al", "alice", "al"},
        {"NotRootsAgentIsNobodyElse", "caller", "", "!only one run by root",
         "alice", "al"},
        {"NotRootsAgentForItsOwnUser", "caller", "", "al", "bob", "al"},
    }),
    [](const auto& info) { return info.param.name; });

TEST_F(RunAsTest, DeniedBeatsAllowed) {
  rules_.denied = {"al*"};
  rules_.allowed = {"alice"};
  const auto account = DecideRunAs(rules_, {"alice", "", "caller", "web01"},
                                   Accounts().at("root"), FindFake);
  EXPECT_TRUE(absl::IsPermissionDenied(account.status()));
  EXPECT_THAT(std::string(account.status().message()),
              HasSubstr("denied_run_as"));
}

TEST_F(RunAsTest, RootOnlyWhenItIsNamed) {
  rules_.allowed = {"*"};
  const RunAsRequest asked = {"alice", "root", "caller", "web01"};
  EXPECT_FALSE(
      DecideRunAs(rules_, asked, Accounts().at("root"), FindFake).ok());
  rules_.allowed = {"root"};
  EXPECT_TRUE(DecideRunAs(rules_, asked, Accounts().at("root"), FindFake).ok());
}

TEST_F(RunAsTest, TakesSessionsOfAllowedOwnersOnly) {
  rules_.owners = {"al*", "ops"};
  EXPECT_TRUE(DecideRunAs(rules_, {"alice", "", "", "web01"},
                          Accounts().at("root"), FindFake)
                  .ok());
  const auto account = DecideRunAs(rules_, {"bob", "", "", "web01"},
                                   Accounts().at("root"), FindFake);
  EXPECT_TRUE(absl::IsPermissionDenied(account.status()));
  EXPECT_THAT(std::string(account.status().message()),
              HasSubstr("allowed_owners"));
}

TEST_F(RunAsTest, HoldersNeedAnAccountWithoutRights) {
  EXPECT_THAT(std::string(HolderAccount(rules_, FindFake).status().message()),
              HasSubstr("useradd --system"));
  rules_.holder_user = "toor";
  EXPECT_FALSE(HolderAccount(rules_, FindFake).ok());
  rules_.holder_user = "0";
  EXPECT_FALSE(HolderAccount(rules_, FindFake).ok());
  rules_.holder_user = "61234";
  ASSERT_TRUE(HolderAccount(rules_, FindFake).ok());
  EXPECT_EQ(HolderAccount(rules_, FindFake)->user, 61234u);
}

}  // namespace
}  // namespace berth::agent
