// The usual ways out of a session that may run a few programs alone: pagers,
// editors, options that start programs, variables, links, odd arguments. Each
// would leave a file behind.

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kComputer[] = "Server01";
// As careless as an administrator may be about names of files.
constexpr char kConfiguration[] = R"(
kind = "restricted"
allowed = [
  { name = "cat", path = "/bin/cat", arguments = ["[a-z/.]+"] },
  { name = "less", path = "/usr/bin/less", arguments = [".*"] },
  { name = "vi", path = "/usr/bin/vi", arguments = ["-Z", ".*"] },
  { name = "tar", path = "/bin/tar", arguments = ["cf", ".*"], repeat_last = true },
  { name = "find", path = "/usr/bin/find", arguments = [".*"], repeat_last = true },
  { name = "env", path = "/usr/bin/env" },
])";

class RestrictedTest : public ::testing::Test {
 protected:
  RestrictedTest() : fleet_({kComputer}), mark_(fleet_.directory() + "/out") {
    fleet_.Register(kComputer, "few", kConfiguration);
    fleet_.Run(
        {"new", "-c", kComputer, "--configuration", "few", "--name", "r"});
  }

  // All that a command said.
  std::string Try(const std::string& line, const std::string& input = "",
                  const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = {"run", "-s", "r"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", line});
    const Process::Finished done = fleet_.Berth(words, input);
    EXPECT_FALSE(std::filesystem::exists(mark_)) << line << " got out";
    return absl::StrCat(done.exit_code, " ", done.out, done.err);
  }

  Fleet fleet_;
  const std::string mark_;
};

TEST_F(RestrictedTest, ShellSyntaxMeansNothing) {
  for (const char* line :
       {"cat x; touch $M", "cat x && touch $M", "cat x | touch $M",
        "cat $(touch $M)", "cat `touch $M`", "cat x\ntouch $M",
        "cat <(touch $M)", "cat x > $M", "cat \"$(touch $M)\"",
        "cat x\\\ntouch $M"}) {
    std::string attempt = line;
    for (size_t at; (at = attempt.find("$M")) != std::string::npos;) {
      attempt.replace(at, 2, mark_);
    }
    EXPECT_EQ(Try(attempt).substr(0, 4), "126 ") << line;
  }
}

TEST_F(RestrictedTest, OptionsThatStartProgramsAreRefused) {
  const std::string touch = absl::StrCat("exec=touch ", mark_);
  EXPECT_THAT(Try("tar cf a.tar --checkpoint=1 '--checkpoint-action=" + touch +
                  "' /etc/hostname"),
              HasSubstr("is an option"));
  EXPECT_THAT(Try("tar cf a.tar '-Itouch " + mark_ + "' /etc/hostname"),
              HasSubstr("is an option"));
  EXPECT_THAT(Try("find /etc/hostname -exec touch " + mark_ + " '{}' '+'"),
              HasSubstr("is an option"));
  EXPECT_THAT(Try("find /etc/hostname -fprint " + mark_),
              HasSubstr("is an option"));
  EXPECT_THAT(Try("less '+!touch " + mark_ + "'"), Not(HasSubstr("option")));
  EXPECT_THAT(Try("less -o" + mark_), HasSubstr("is an option"));
}

TEST_F(RestrictedTest, PagersAndEditorsStartNoShell) {
  for (const std::string& keys :
       {absl::StrCat("!touch ", mark_, "\n"), absl::StrCat("|$touch ", mark_),
        absl::StrCat("s", mark_, "\n"), absl::StrCat("v\n:!touch ", mark_)}) {
    Try("less /etc/passwd", keys);
  }
  Try("vi -Z file", absl::StrCat(":set shell=/bin/sh\n:!touch ", mark_,
                                 "\n:r !touch ", mark_, "\n:q!\n:q!\n"));
}

TEST_F(RestrictedTest, VariablesCanNotBeSet) {
  for (const char* variable :
       {"LD_PRELOAD=/tmp/x.so", "PATH=/tmp", "LESSOPEN=|touch %s",
        "GIT_EXTERNAL_DIFF=/tmp/x", "BASH_ENV=/tmp/x", "HARMLESS=1"}) {
    const Process::Finished done = fleet_.Berth(
        {"new", "-c", kComputer, "--configuration", "few", "--env", variable});
    EXPECT_NE(done.exit_code, 0) << variable;
    EXPECT_THAT(Try(absl::StrCat("'", variable, "' cat x")),
                HasSubstr("is not allowed"));
    EXPECT_THAT(Try("env", "", {"--env", variable}), Not(HasSubstr(variable)));
  }
  const std::string environment = Try("env");
  EXPECT_THAT(environment, HasSubstr("SHELL=/usr/sbin/nologin\n"));
  EXPECT_THAT(environment, HasSubstr("LESSSECURE=1\n"));
  EXPECT_THAT(environment, HasSubstr("PAGER=/bin/cat\n"));
  for (const char* variable :
       {"LD_", "BASH_ENV", "LESSOPEN", "GIT_SSH", "BERTH_CTL"}) {
    EXPECT_THAT(environment, Not(HasSubstr(absl::StrCat("\n", variable))));
  }
  EXPECT_THAT(Try("env touch " + mark_), HasSubstr("takes 0 arguments"));
}

TEST_F(RestrictedTest, WhatIsCopiedThereTakesNoProgramsPlace) {
  const std::string folder = fleet_.directory() + "/put";
  std::filesystem::create_directory(folder);
  WriteTextFile(folder + "/cat", "#!/bin/sh\ntouch " + mark_ + "\n");
  std::filesystem::permissions(folder + "/cat",
                               std::filesystem::perms::owner_all);
  std::filesystem::create_symlink("/etc", folder + "/link");
  fleet_.Run({"cp", "-r", folder + "/.", "r:"});
  EXPECT_THAT(Try("cat cat"), HasSubstr("#!/bin/sh"));
  EXPECT_THAT(Try("./cat x"), HasSubstr("is not allowed"));
  EXPECT_NE(fleet_.Berth({"cp", "r:link/passwd", folder + "/stolen"}).exit_code,
            0);
  WriteTextFile(folder + "/planted", "x");
  EXPECT_NE(fleet_.Berth({"cp", folder + "/planted", "r:link/"}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists("/etc/planted"));
}

TEST_F(RestrictedTest, ArgumentsMatchAsAWhole) {
  EXPECT_THAT(Try("cat 'a\n/etc/shadow'"), HasSubstr("is not allowed"));
  EXPECT_THAT(Try("cat 'a b'"), HasSubstr("is not allowed"));
  EXPECT_THAT(Try("cat /etc/hostname /etc/shadow"), HasSubstr("1 arguments"));
  EXPECT_THAT(Try("cat ''"), HasSubstr("is not allowed"));
}

// Whatever got in: sudo, su and other set-id programs give it nothing.
TEST_F(RestrictedTest, NothingGainsRightsByWhatItExecutes) {
  EXPECT_THAT(Try("cat /proc/self/status"), HasSubstr("NoNewPrivs:\t1\n"));
}

}  // namespace
}  // namespace berth::testing
