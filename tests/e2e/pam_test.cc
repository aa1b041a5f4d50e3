// Sessions that are PAM sessions as well, by services of the test's own.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/run_as_fixture.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOpened[] = "open_session backup\n";
constexpr char kClosed[] = "open_session backup\nclose_session backup\n";

class PamTest : public RunAsTest {
 protected:
  void SetUp() override {
    RunAsTest::SetUp();
    if (IsSkipped()) return;
    std::filesystem::create_directory(Path(""));
    WriteTextFile(
        Path("limits"),
        "backup - nofile 321\nbackup - core 0\nbackup soft fsize 777\n");
    WriteTextFile(Path("variables"),
                  "PAM_SAYS DEFAULT=hello\nLD_PRELOAD DEFAULT=/no/such.so\n"
                  "HOME DEFAULT=/elsewhere\n");
    WriteTextFile(Path("log"), "");
    WriteTextFile(Path("note"),
                  absl::StrCat("#!/bin/sh\n", "echo $PAM_TYPE $PAM_USER >>",
                               Path("log"), "\n"));
    chmod(Path("note").c_str(), 0755);
    Serve(
        absl::StrCat("account required pam_permit.so\n"
                     "session required pam_limits.so conf=",
                     Path("limits"),
                     "\nsession required pam_umask.so umask=0027\n"
                     "session required pam_env.so readenv=0 conffile=",
                     Path("variables"), "\nsession required pam_exec.so ",
                     Path("note"), "\n"));
    Configure(absl::StrCat(kRules, "pam = \"", Path("berth"), "\"\n"));
  }

  std::string Path(const std::string& name) const {
    return fleet_->directory() + "/pam/" + name;
  }

  void Serve(const std::string& lines) { WriteTextFile(Path("berth"), lines); }

  std::string Log() const { return ReadTextFile(Path("log")); }

  // It is closed by another process than the one that is asked to end it.
  void ExpectClosed() {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (!absl::StrContains(Log(), "close") && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(10));
    }
    EXPECT_EQ(Log(), kClosed);
  }
};

TEST_F(PamTest, LimitsUmaskAndVariablesReachTheShell) {
  New("a");
  EXPECT_EQ(In("a",
               "id -un; umask; ulimit -n; ulimit -Hc; ulimit -f; echo "
               "$PAM_SAYS $HOME "
               "${LD_PRELOAD-none}"),
            "backup\n0027\n321\n0\n777\nhello /var/backups none\n");
  EXPECT_EQ(Log(), kOpened);
  // The holder has none of that, and its rights alone.
  const std::string proc = absl::StrCat("/proc/", fleet_->HolderPid("a"), "/");
  EXPECT_THAT(ReadTextFile(proc + "status"),
              HasSubstr("CapPrm:\t0000000000000020\n"));
  EXPECT_THAT(ReadTextFile(proc + "limits"),
              ::testing::ContainsRegex("file size +unlimited "));
  // Nor does its user reach what keeps the PAM session.
  EXPECT_THAT(Try("a", "kill $(pgrep -x berth-login | head -1)"),
              HasSubstr("not permitted"));
  fleet_->Run({"rm", "a"});
  ExpectClosed();
}

TEST_F(PamTest, RestrictedSessionsGetLimitsAndNoVariables) {
  fleet_->Register(kComputer, "few",
                   "kind = \"restricted\"\n"
                   "allowed = [{ name = \"env\", path = \"/usr/bin/env\" }, "
                   "{ name = \"cat\", path = \"/bin/cat\", "
                   "arguments = [\"[a-z/]+\"], repeat_last = true }]\n");
  New("r", {"--configuration", "few"});
  EXPECT_THAT(In("r", "env"), Not(HasSubstr("PAM_SAYS")));
  EXPECT_THAT(In("r", "env"), HasSubstr("HOME=/var/backups\n"));
  const std::string status = In("r", "cat /proc/self/status");
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
  EXPECT_THAT(status, HasSubstr("Umask:\t0027\n"));
  EXPECT_THAT(status, HasSubstr("CapPrm:\t0000000000000000\n"));
  EXPECT_THAT(In("r", "cat /proc/self/limits"),
              ::testing::ContainsRegex("open files +321 +321 "));
}

TEST_F(PamTest, LowerLimitOfTheConfigurationHolds) {
  fleet_->Register(kComputer, "low",
                   "shell = \"/bin/bash\"\n[limits]\nopen_files = 100\n");
  fleet_->Register(kComputer, "high",
                   "shell = \"/bin/bash\"\n[limits]\nopen_files = 1000\n");
  New("low", {"--configuration", "low"});
  New("high", {"--configuration", "high"});
  EXPECT_EQ(In("low", "ulimit -n; ulimit -Hn"), "100\n100\n");
  EXPECT_EQ(In("high", "ulimit -n; ulimit -Hn"), "321\n321\n");
}

TEST_F(PamTest, EndsWithItsHolderWhateverBecameOfTheAgent) {
  New("a");
  In("a", "X=kept");
  fleet_->KillAgent(kComputer, SIGKILL);
  fleet_->StartAgent(kComputer);
  fleet_->WaitFor({"run", "-s", "a", "--", "echo $X; ulimit -n"},
                  "kept\n321\n");
  EXPECT_EQ(Log(), kOpened);
  ASSERT_EQ(kill(fleet_->HolderPid("a"), SIGKILL), 0);
  ExpectClosed();
}

TEST_F(PamTest, SessionsOfTheAgentsOwnAccountToo) {
  Configure(
      absl::StrCat("run_as = \"agent\"\npam = \"", Path("berth"), "\"\n"));
  WriteTextFile(Path("limits"), "root - nofile 321\n");
  New("a");
  EXPECT_EQ(In("a", "id -un; umask; ulimit -n; echo $PAM_SAYS"),
            "root\n0027\n321\nhello\n");
  EXPECT_EQ(Log(), "open_session root\n");
}

TEST_F(PamTest, RefusalNamesAccountServiceAndReason) {
  WriteTextFile(Path("nologin"), "closed until nine\n");
  Serve("account required pam_nologin.so file=" + Path("nologin") + "\n");
  const std::string refused = Refused({});
  for (const std::string& text :
       {std::string("account 'backup' may not be used now"), Path("berth"),
        std::string("closed until nine")}) {
    EXPECT_THAT(refused, HasSubstr(text));
  }
  std::filesystem::remove(Path("berth"));
  EXPECT_THAT(Refused({}), HasSubstr("is not installed: put a file"));
  EXPECT_EQ(fleet_->Sessions({}).size(), 0u);
  EXPECT_EQ(Log(), "");
}

// The agent's time for a session is over long before the module's.
TEST_F(PamTest, ModuleThatHangsIsNotWaitedFor) {
  WriteTextFile(Path("hang"), absl::StrCat("#!/bin/sh\necho $$ >", Path("pid"),
                                           "\nexec sleep 1000\n"));
  chmod(Path("hang").c_str(), 0755);
  Serve("account required pam_permit.so\nsession required pam_exec.so " +
        Path("hang") + "\n");
  EXPECT_THAT(Refused({}), HasSubstr("takes too long to open a session for "
                                     "account 'backup'"));
  std::string pid = ReadTextFile(Path("pid"));
  ASSERT_FALSE(pid.empty());
  pid.pop_back();
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (std::filesystem::exists("/proc/" + pid + "/exe")) {
    ASSERT_LT(absl::Now(), deadline) << "the module's program was left behind";
    absl::SleepFor(absl::Milliseconds(10));
  }
}

// No session without what was asked for, and the way to it.
TEST_F(PamTest, ProgramThatIsMissingOrDoesNotStartIsSaid) {
  const std::string program = getenv("BERTH_LOGIN");
  const std::string rules =
      absl::StrCat(kRules, "pam = \"", Path("berth"), "\"\n");
  setenv("BERTH_LOGIN", Path("none").c_str(), 1);
  Configure(rules);
  const std::string missing = Refused({});
  EXPECT_THAT(missing, HasSubstr("start " + Path("none")));
  EXPECT_THAT(missing, HasSubstr("needs it: install it"));
  // As if the system's library were missing.
  setenv("BERTH_LOGIN", "/bin/false", 1);
  Configure(rules);
  EXPECT_THAT(Refused({}), HasSubstr("it needs libpam.so.0"));
  setenv("BERTH_LOGIN", program.c_str(), 1);
}

TEST_F(PamTest, ServiceThatIsMissingIsSaid) {
  Configure(
      "run_as = \"backup\"\nallowed_run_as = [\"backup\"]\n"
      "holder_user = \"61234\"\npam = \"berth-no-such-service\"\n");
  EXPECT_THAT(Refused({}), HasSubstr("'berth-no-such-service'"));
}

}  // namespace
}  // namespace berth::testing
