#include "agent/sessions/environment.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Variables = std::map<std::string, std::string>;

TEST(EnvironmentTest, PassesOnOnlyWhatIsForShells) {
  const auto made = MakeShellEnvironment({{"HOME", "/home/ann"},
                                          {"PATH", "/opt/bin"},
                                          {"LC_TIME", "C"},
                                          {"SECRET_TOKEN", "x"},
                                          {"LD_PRELOAD", "/x.so"},
                                          {"TERM", "dumb"}},
                                         {}, {}, "/bin/bash", "some-id");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->home, "/home/ann");
  EXPECT_THAT(made->variables, Contains("HOME=/home/ann"));
  EXPECT_THAT(made->variables, Contains("PATH=/opt/bin"));
  EXPECT_THAT(made->variables, Contains("LC_TIME=C"));
  EXPECT_THAT(made->variables, Contains("SHELL=/bin/bash"));
  EXPECT_THAT(made->variables, Contains("TERM=xterm-256color"));
  EXPECT_THAT(made->variables, Contains("BERTH_SESSION=some-id"));
  EXPECT_THAT(made->variables, Not(Contains(StartsWith("SECRET_TOKEN"))));
  EXPECT_THAT(made->variables, Not(Contains(StartsWith("LD_PRELOAD"))));
}

TEST(EnvironmentTest, FillsInWhatIsMissing) {
  const auto made = MakeShellEnvironment({}, {}, {}, "/bin/bash", "id");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->variables, Contains(StartsWith("PATH=/usr/local/sbin")));
  EXPECT_THAT(made->variables, Contains(StartsWith("HOME=/")));
}

TEST(EnvironmentTest, WhatIsRequestedGoesFirst) {
  const auto made = MakeShellEnvironment(
      {{"LANG", "C"}}, {{"LANG", "fr_FR.UTF-8"}, {"EDITOR", "ed"}, {"X", "1"}},
      {{"LANG", "de_DE.UTF-8"}, {"EDITOR", "vi"}}, "/bin/bash", "id");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_THAT(made->variables, Contains("LANG=de_DE.UTF-8"));
  EXPECT_THAT(made->variables, Not(Contains("LANG=C")));
  EXPECT_THAT(made->variables, Contains("EDITOR=vi"));
  EXPECT_THAT(made->variables, Contains("X=1"));
}

TEST(EnvironmentTest, RefusesWhatRunsCodeOrIsNoVariable) {
  for (const Variables& requested :
       {Variables{{"LD_PRELOAD", "/x"}}, Variables{{"LD_LIBRARY_PATH", "/x"}},
        Variables{{"BASH_ENV", "/x"}}, Variables{{"ENV", "/x"}},
        Variables{{"", "x"}}, Variables{{"A=B", "x"}}, Variables{{"1A", "x"}},
        Variables{{"A B", "x"}}, Variables{{"A", std::string("x\0y", 3)}},
        Variables{{"A", std::string(70'000, 'x')}}}) {
    const auto made =
        MakeShellEnvironment({}, {}, requested, "/bin/bash", "id");
    EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument)
        << requested.begin()->first;
  }
  Variables many;
  for (int i = 0; i < 257; ++i) many[absl::StrCat("A", i)] = "x";
  const auto made = MakeShellEnvironment({}, {}, many, "/bin/bash", "id");
  EXPECT_THAT(std::string(made.status().message()), HasSubstr("256"));
}

}  // namespace
}  // namespace berth::agent
