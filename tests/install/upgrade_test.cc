// `berth agent upgrade`: over Berth's own link, with the rights of a session.

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/install/install_fixture.h"

namespace berth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST_F(InstallTest, UpgradesOverItsOwnLinkAndKeepsSessions) {
  ExpectInstalled(Install({host_->Target("web01")}));
  fleet_.Run({"new", "-c", "web01", "--name", "work"});
  fleet_.Run({"run", "-s", "work", "--", "kept=yes; cd /usr"});
  fleet_.Run({"run", "-s", "work", "--detach", "--",
              absl::StrCat("while [ ! -e ", Path("go"),
                           " ]; do sleep 0.1; done; echo went on in $PWD")});
  const std::string pid = AgentPid();
  fs::create_directory(Path("newer"));
  for (const char* program : {"berth-agent", "berth-holder"}) {
    const std::string path = Path("newer/") + program;
    WriteTextFile(path, ReadTextFile(bin_ + "/" + program) + "newer");
    chmod(path.c_str(), 0755);
  }
  const std::vector<std::string> upgrade = {
      "agent",        "upgrade",     "-c",          "web01",  "--prefix",
      Path("prefix"), "--state-dir", Path("state"), "--from", Path("newer")};
  const Process::Finished done = Berth(upgrade);
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("installed " + Path("prefix/bin/berth-ag")));
  EXPECT_THAT(done.out, HasSubstr("installed " + Path("prefix/bin/berth-ho")));
  EXPECT_THAT(done.out, HasSubstr("began anew; sessions live on"));
  // The process is the same, and executes what was brought there.
  EXPECT_EQ(AgentPid(), pid);
  const std::string program =
      absl::StrCat("/proc/", absl::StripSuffix(pid, "\n"), "/exe");
  EXPECT_TRUE(ReadTextFile(program) == ReadTextFile(Path("newer/berth-agent")));
  WriteTextFile(Path("go"), "");
  EXPECT_THAT(fleet_.Run({"receive", "work"}), HasSubstr("went on in /usr"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "work", "--", "echo $kept $PWD"}),
            "yes /usr\n");
  // What it was done in is gone.
  EXPECT_EQ(fleet_.Sessions({}).size(), 1u);

  const Process::Finished again = Berth(upgrade);
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_THAT(again.out, HasSubstr("had these programs already"));

  // A program that does not run there leaves the old one in its place.
  WriteTextFile(Path("newer/berth-agent"),
                ReadTextFile(Path("newer/berth-agent")).substr(0, 4096));
  const Process::Finished broken = Berth(upgrade);
  EXPECT_EQ(broken.exit_code, 1) << broken.out;
  EXPECT_THAT(broken.out, HasSubstr("does not run on this computer"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "work", "--", "echo $kept"}), "yes\n");
}

// Nobody's broker can bring programs to a computer whose administrator lets
// nobody do it: it takes a session that may.
TEST_F(InstallTest, UpgradeHasOnlyTheRightsOfASession) {
  ExpectInstalled(Install({host_->Target("web01")}));
  const std::string before = ReadTextFile(Path("prefix/bin/berth-agent"));
  WriteTextFile(Path("state/agent.toml"),
                absl::StrCat(kAgentConfig, "allowed_owners = [\"ann\"]\n"));
  int pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripSuffix(AgentPid(), "\n"), &pid));
  kill(pid, SIGHUP);
  // Until it has read that.
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (fleet_.Berth({"run", "-c", "web01", "--", "true"}).exit_code == 0) {
    ASSERT_LT(absl::Now(), deadline);
  }
  fs::create_directory(Path("newer"));
  for (const char* program : {"berth-agent", "berth-holder"}) {
    WriteTextFile(Path("newer/") + program,
                  ReadTextFile(bin_ + "/" + program) + "newer");
  }
  const Process::Finished done =
      Berth({"agent", "upgrade", "-c", "web01", "--prefix", Path("prefix"),
             "--state-dir", Path("state"), "--from", Path("newer"), "--run-as",
             "root"});
  EXPECT_EQ(done.exit_code, 1) << done.out;
  EXPECT_THAT(done.out, ::testing::ContainsRegex("FAILED +web01 .*allowed"));
  EXPECT_TRUE(ReadTextFile(Path("prefix/bin/berth-agent")) == before);
  // And who installs learns that it answers, although not to them.
  const Process::Finished again = Install({host_->Target("web01")});
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_THAT(again.out, HasSubstr("it answers, but you get no session there"));
}

}  // namespace
}  // namespace berth::testing
