#include "agent/login/login_rights.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::ElementsAre;

absl::StatusOr<LoginRights> Read(const std::vector<std::string>& environment) {
  std::vector<const char*> pointers;
  for (const std::string& entry : environment) {
    pointers.push_back(entry.c_str());
  }
  pointers.push_back(nullptr);
  return LoginRights::FromEnvironment(pointers.data());
}

TEST(LoginRightsTest, PassesByAnEnvironmentAsItIs) {
  LoginRights rights;
  rights.umask = 027;
  rights.limits = {{7, 321, 400}, {4, 0, ~uint64_t{0}}};
  rights.variables = {"A=b=c", "LD_PRELOAD=/x", "EMPTY="};
  std::vector<std::string> environment = rights.ToEnvironment();
  // Nothing by a name that a library knows.
  for (const std::string& entry : environment) {
    EXPECT_EQ(entry.rfind("BERTH_LOGIN_", 0), 0u) << entry;
  }
  environment.push_back("PATH=/bin");
  const auto read = Read(environment);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->umask, 027u);
  EXPECT_EQ(read->variables, rights.variables);
  ASSERT_EQ(read->limits.size(), 2u);
  EXPECT_EQ(read->limits[0].soft, 321u);
  EXPECT_EQ(read->limits[0].hard, 400u);
  EXPECT_EQ(read->limits[1].resource, 4u);
  EXPECT_EQ(read->limits[1].hard, ~uint64_t{0});
}

TEST(LoginRightsTest, WhoWasNotStartedByALoginHasNone) {
  for (const std::vector<std::string>& environment :
       std::vector<std::vector<std::string>>{
           {},
           {"PATH=/bin"},
           {"BERTH_LOGIN_UMASK=x"},
           {"BERTH_LOGIN_UMASK=1024"},
           {"BERTH_LOGIN_UMASK=18", "BERTH_LOGIN_LIMIT_7=321"},
           {"BERTH_LOGIN_UMASK=18", "BERTH_LOGIN_LIMIT_7=-1:2"},
           {"BERTH_LOGIN_UMASK=18", "BERTH_LOGIN_LIMIT_7=1:2:3"}}) {
    const auto read = Read(environment);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(read.status().message()),
                ::testing::HasSubstr("berth-login"));
  }
}

TEST(LoginRightsTest, VariablesKeepTheirOrder) {
  const auto read = Read({"BERTH_LOGIN_VARIABLE_B=1", "BERTH_LOGIN_UMASK=0",
                          "BERTH_LOGIN_VARIABLE_A=2"});
  ASSERT_TRUE(read.ok());
  EXPECT_THAT(read->variables, ElementsAre("B=1", "A=2"));
}

}  // namespace
}  // namespace berth::agent
