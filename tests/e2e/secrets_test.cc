// A secret given to one command reaches its processes, and nothing else: it is
// looked for wherever Berth writes or shows anything.

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kComputer[] = "Server01";
// Only its own characters turned round are in this program.
constexpr char kBackwards[] = "47xq-ylno-sdnammoc-eht-rof";

std::string Secret() {
  const std::string backwards(kBackwards);
  return std::string(backwards.rbegin(), backwards.rend());
}

class SecretsTest : public ::testing::Test {
 protected:
  SecretsTest() : fleet_({kComputer}) {
    WriteTextFile(Path(), Secret());
    chmod(Path().c_str(), 0600);
  }

  // Not in the fleet's directory, which is searched.
  std::string Path() const { return dir_.path() + "/secret"; }
  std::string Option() const { return "TOKEN=@" + Path(); }

  void New(const std::string& name, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"new", "-c", kComputer, "--name", name};
    words.insert(words.end(), more.begin(), more.end());
    fleet_.Run(words);
  }

  // All files of all programs that have it.
  std::vector<std::string> FilesWithIt() const {
    std::vector<std::string> found;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(fleet_.directory())) {
      if (!entry.is_regular_file()) continue;
      if (absl::StrContains(ReadTextFile(entry.path()), Secret())) {
        found.push_back(entry.path());
      }
    }
    return found;
  }

  // All processes in whose arguments or environment it is.
  static std::vector<std::string> ProcessesWithIt() {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      for (const char* file : {"/environ", "/cmdline"}) {
        const std::string path = entry.path().string() + file;
        if (absl::StrContains(ReadTextFile(path), Secret())) {
          found.push_back(path);
        }
      }
    }
    return found;
  }

  TempDir dir_;
  Fleet fleet_;
};

TEST_F(SecretsTest, ReachesTheCommandAndIsNowhereElse) {
  New("a");
  Process run = fleet_.Start({"run", "-s", "a", "--secret", Option(), "--",
                              "sha256sum <$TOKEN; sh -c 'wc -c <$TOKEN';"
                              " echo at $TOKEN; sleep 1000"});
  const auto local = Process::Run({.argv = {"/usr/bin/sha256sum"}}, Secret());
  ASSERT_TRUE(local.ok());
  EXPECT_TRUE(run.WaitForLine(local->out.substr(0, 64)).ok());
  EXPECT_TRUE(run.WaitForLine(absl::StrCat(Secret().size())).ok());
  EXPECT_TRUE(run.WaitForLine("at /dev/fd/30").ok());
  EXPECT_THAT(FilesWithIt(), IsEmpty());
  EXPECT_THAT(ProcessesWithIt(), IsEmpty());
  // Only what the command started has it: not the shell's holder, which could
  // give it to the next one.
  const std::string holder = absl::StrCat("/proc/", fleet_.HolderPid("a"));
  for (const auto& entry :
       std::filesystem::directory_iterator(holder + "/fd")) {
    std::error_code gone;
    EXPECT_THAT(std::filesystem::read_symlink(entry.path(), gone).string(),
                Not(HasSubstr("secret")));
  }
  EXPECT_THAT(ReadTextFile(holder + "/limits"),
              HasSubstr("Max core file size        0 "));
  run.StopWith(SIGKILL);
  fleet_.Berth({"interrupt", "a"});
  fleet_.Run({"rm", "a"});
  EXPECT_THAT(FilesWithIt(), IsEmpty());
}

TEST_F(SecretsTest, GoesWithItsCommand) {
  New("a");
  fleet_.Run({"run", "-s", "a", "--", "exec 30</etc/hostname"});
  EXPECT_EQ(fleet_.Run({"run", "-s", "a", "--secret", Option(), "--secret",
                        "AFTER=@" + Path(), "--",
                        "test $(stat -Lc %s $TOKEN) = $(stat -Lc %s $AFTER);"
                        " echo $? $AFTER $TOKEN; echo x 2>/dev/null >>$TOKEN"
                        " || echo sealed"}),
            "0 /dev/fd/30 /dev/fd/31\nsealed\n");
  EXPECT_EQ(fleet_.Run({"run", "-s", "a", "--",
                        "cmp /dev/fd/30 /etc/hostname; test -e /dev/fd/31; "
                        "echo $? \"[$TOKEN]\""}),
            "1 []\n");
}

TEST_F(SecretsTest, IsForItsUserWhoeverThatIs) {
  if (geteuid() != 0) GTEST_SKIP() << "needs sessions of other users: root";
  fleet_.KillAgent(kComputer, SIGTERM);
  WriteTextFile(fleet_.AgentDirectory(kComputer) + "/agent.toml",
                "run_as = \"backup\"\nallowed_run_as = [\"backup\"]\n"
                "holder_user = \"61234\"\n");
  fleet_.StartAgent(kComputer);
  fleet_.WaitFor({"new", "-c", kComputer, "--name", "a"}, "a");
  EXPECT_EQ(fleet_.Run({"run", "-s", "a", "--secret", Option(), "--",
                        "id -un; wc -c <$TOKEN"}),
            absl::StrCat("backup\n", Secret().size(), "\n"));
}

TEST_F(SecretsTest, RefusalsDoNotTellIt) {
  New("a");
  auto done = fleet_.Berth(
      {"run", "-s", "a", "--secret", "TOKEN=" + Secret(), "--", "true"});
  EXPECT_NE(done.exit_code, 0);
  EXPECT_THAT(done.err, HasSubstr("NAME=@PATH"));
  EXPECT_THAT(done.err, Not(HasSubstr(Secret())));
  WriteTextFile(Path(), std::string(70000, 'x'));
  done = fleet_.Berth({"run", "-s", "a", "--secret", Option(), "--", "true"});
  EXPECT_NE(done.exit_code, 0);
  WriteTextFile(Path(), Secret());
  fleet_.Register(kComputer, "py", "shell = \"/usr/bin/python3\"\n");
  New("p", {"--configuration", "py"});
  done = fleet_.Berth({"run", "-s", "p", "--secret", Option(), "--", "1"});
  EXPECT_NE(done.exit_code, 0);
  EXPECT_THAT(done.err, HasSubstr("only commands of bash sessions"));
  EXPECT_THAT(FilesWithIt(), IsEmpty());
}

}  // namespace
}  // namespace berth::testing
