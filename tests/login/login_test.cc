// The real berth-login with services of the test's own; what it starts in the
// holder's place is a script.

#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/berth/holder/v1/holder.pb.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kUser[] = "backup";
constexpr char kPermit[] = "account required pam_permit.so\n";

class LoginTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can open PAM sessions";
    Script("note", absl::StrCat("echo $PAM_TYPE >>", Path("log")));
    WriteTextFile(Path("log"), "");
  }

  std::string Path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }

  void Script(const std::string& name, const std::string& text) {
    WriteTextFile(Path(name), absl::StrCat("#!/bin/sh\n", text, "\n"));
    chmod(Path(name).c_str(), 0755);
  }

  // A line of a service that has a script called.
  std::string Call(const std::string& script) const {
    return absl::StrCat("session required pam_exec.so ", Path(script), "\n");
  }

  std::string Stubborn(const std::string& argument = "") const {
    return absl::StrCat(
        "session required ",
        std::filesystem::absolute(getenv("STUBBORN_MODULE")).string(), " ",
        argument, "\n");
  }

  // With the commands of `before` in a mount namespace of its own.
  Process Login(const std::string& service, const std::string& holder,
                const std::string& before = "") {
    WriteTextFile(Path("berth"), service);
    Script("holder", holder);
    std::vector<std::string> words = {getenv("BERTH_LOGIN"), Path("berth"),
                                      kUser, Path("holder")};
    if (!before.empty()) {
      const std::vector<std::string> first = {
          "/usr/bin/unshare",         "--mount", "/bin/sh", "-c",
          before + " && exec \"$@\"", "sh"};
      words.insert(words.begin(), first.begin(), first.end());
    }
    auto login = Process::Start(words);
    EXPECT_TRUE(login.ok()) << login.status();
    return *std::move(login);
  }

  // What it says in the holder's place.
  static std::string Error(Process& login) {
    const auto prefix = login.ReadExactly(4);
    if (!prefix.ok()) return prefix.status().ToString();
    const auto body =
        login.ReadExactly(static_cast<unsigned char>((*prefix)[0]) |
                          static_cast<unsigned char>((*prefix)[1]) << 8);
    holder::v1::HolderStarted started;
    EXPECT_TRUE(body.ok() && started.ParseFromString(*body)) << body.status();
    return started.error();
  }

  void WaitFor(const std::string& file, const std::string& text) {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (!absl::StrContains(ReadTextFile(Path(file)), text)) {
      ASSERT_LT(absl::Now(), deadline)
          << file << ": " << ReadTextFile(Path(file));
      absl::SleepFor(absl::Milliseconds(10));
    }
  }

  TempDir directory_;
};

TEST_F(LoginTest, HolderGetsTheChannelAndIsToldWhatItsShellIsToHave) {
  WriteTextFile(Path("limits"),
                "backup hard nofile 321\n"
                "backup soft nofile 123\nbackup soft fsize 7\n");
  WriteTextFile(Path("variables"), "SAYS DEFAULT=hello\n");
  Process login =
      Login(absl::StrCat(kPermit,
                         "session required pam_limits.so conf=", Path("limits"),
                         "\nsession required pam_umask.so umask=0027\n"
                         "session required pam_env.so readenv=0 conffile=",
                         Path("variables"), "\n", Stubborn("noisy")),
            "read line; echo got $line; /usr/bin/env; echo fsize $(ulimit -Sf);"
            "echo fds $(ls /proc/self/fd)");
  ASSERT_TRUE(login.Write("start\n").ok());
  const auto out = login.ReadToEnd();
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_TRUE(absl::StartsWith(*out, "got start\n")) << *out;
  EXPECT_THAT(*out, HasSubstr("\nBERTH_LOGIN_UMASK=23\n"));
  EXPECT_THAT(*out, HasSubstr("\nBERTH_LOGIN_LIMIT_7=123:321\n"));
  EXPECT_THAT(*out, HasSubstr("\nBERTH_LOGIN_LIMIT_1=7168:"));
  EXPECT_THAT(*out, HasSubstr("\nBERTH_LOGIN_VARIABLE_SAYS=hello\n"));
  // Itself it has none of that: its logs may be larger than the shell's files.
  EXPECT_THAT(*out, HasSubstr("\nfsize unlimited\n"));
  EXPECT_THAT(*out, Not(HasSubstr("\nSAYS=hello\n")));
  EXPECT_THAT(*out, HasSubstr("\nfds 0 1 2 3\n")) << "3: ls's own";
  EXPECT_EQ(login.Wait().value_or(-1), 0);
}

TEST_F(LoginTest, ClosesTheSessionHoweverTheHolderEnds) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    WriteTextFile(Path("log"), "");
    Process login = Login(absl::StrCat(kPermit, Call("note")),
                          "echo pid $$; exec sleep 1000");
    const auto pid = login.WaitForLine("pid ");
    ASSERT_TRUE(pid.ok()) << pid.status();
    EXPECT_EQ(ReadTextFile(Path("log")), "open_session\n");
    // Only the holder's end ends it.
    for (const int other : {SIGTERM, SIGHUP, SIGINT}) kill(login.pid(), other);
    pid_t holder = 0;
    ASSERT_TRUE(absl::SimpleAtoi(*pid, &holder));
    ASSERT_EQ(kill(holder, 0), 0);
    kill(holder, signal);
    EXPECT_EQ(login.Wait().value_or(-1), 0);
    EXPECT_EQ(ReadTextFile(Path("log")), "open_session\nclose_session\n");
  }
}

// A holder that does not start is ended with what it has started, and the
// session of it is not left open.
TEST_F(LoginTest, AgentThatGivesUpEndsHolderAndSession) {
  Process login = Login(absl::StrCat(kPermit, Call("note")),
                        "sleep 1000 & echo pid $!; wait");
  const auto pid = login.WaitForLine("pid ");
  ASSERT_TRUE(pid.ok()) << pid.status();
  kill(login.pid(), SIGUSR1);
  EXPECT_EQ(login.Wait().value_or(-1), 0);
  EXPECT_EQ(ReadTextFile(Path("log")), "open_session\nclose_session\n");
  EXPECT_FALSE(std::filesystem::exists("/proc/" + *pid + "/exe"));
}

// It once left what a module waited for behind.
TEST_F(LoginTest, ModuleThatWaitsForAProgramEndsWhenTheAgentGivesUp) {
  Script("hang", absl::StrCat("echo $$ >", Path("pid"), "; exec sleep 1000"));
  Process login =
      Login(absl::StrCat(kPermit, Call("hang")), "echo it came to this");
  WaitFor("pid", "\n");
  kill(login.pid(), SIGUSR1);
  const std::string error = Error(login);
  EXPECT_THAT(error, HasSubstr("no session for account 'backup'"));
  EXPECT_EQ(login.Wait().value_or(-1), 1);
  std::string pid = ReadTextFile(Path("pid"));
  pid.pop_back();
  EXPECT_FALSE(std::filesystem::exists("/proc/" + pid + "/exe"));
}

TEST_F(LoginTest, ModuleThatHangsEndsWithTheProcess) {
  const bool all = getenv("BERTH_LONG") != nullptr;
  for (const char* how : {"", "deaf"}) {
    if (*how != '\0' && !all) continue;  // It takes its full time.
    Process login =
        Login(absl::StrCat(kPermit, Call("note"), Stubborn(how)), "echo no");
    WaitFor("log", "open_session");
    kill(login.pid(), SIGUSR1);
    EXPECT_EQ(login.Wait(absl::Minutes(2)).value_or(-1), 128 + SIGKILL) << how;
  }
}

struct Refusal {
  const char* name;
  const char* service;
  std::vector<std::string> want;
  const char* before = "";
};

TEST_F(LoginTest, RefusesAndSaysWhy) {
  WriteTextFile(Path("nologin"), "closed until nine\n");
  WriteTextFile(Path("access"), "-:backup:ALL\n");
  // Its last day was in 1970.
  WriteTextFile(Path("shadow"), "backup:*:19000:0:99999:7::1:\n");
  const std::string account = "account 'backup' may not be used now";
  for (const Refusal& it : std::vector<Refusal>{
           {"deny", "account required pam_deny.so", {account, "berth'"}},
           {"nologin",
            "account required pam_nologin.so file=@/nologin",
            {account, ": closed until nine"}},
           {"access",
            "account required pam_access.so accessfile=@/access",
            {account, "Permission denied"}},
           {"expired",
            "account required pam_unix.so",
            {account, "User account has expired"},
            "mount --bind @/shadow /etc/shadow"},
           {"no such module",
            "account required pam_no_such.so",
            {account, "Module is unknown"}},
           {"session",
            "account required pam_permit.so\nsession required pam_deny.so",
            {"no session for account 'backup'"}}}) {
    const auto here = [&](const char* text) {
      return absl::StrReplaceAll(text, {{"@", directory_.path()}});
    };
    Process login =
        Login(here(it.service) + "\n", "echo started", here(it.before));
    const std::string error = Error(login);
    for (const std::string& want : it.want) {
      EXPECT_THAT(error, HasSubstr(want)) << it.name;
    }
    EXPECT_THAT(error, HasSubstr(Path("berth"))) << it.name;
    EXPECT_EQ(login.Wait().value_or(-1), 1) << it.name;
  }
}

TEST_F(LoginTest, ServiceThatComesWithItWorks) {
  const std::string shipped =
      std::filesystem::absolute(getenv("PAM_SERVICE")).string();
  Script("holder", "cat /proc/self/loginuid; echo; umask");
  auto login = Process::Start(std::vector<std::string>{
      "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
      absl::StrCat("cp -r /etc/pam.d ", Path("pam.d"), " && cp -f ", shipped,
                   " ", Path("pam.d/berth"), " && mount --bind ", Path("pam.d"),
                   " /etc/pam.d && mount -t tmpfs none /var/log && exec ",
                   getenv("BERTH_LOGIN"), " berth ", kUser, " ",
                   Path("holder"))});
  ASSERT_TRUE(login.ok()) << login.status();
  EXPECT_EQ(login->ReadToEnd().value_or(""),
            absl::StrCat(getpwnam(kUser)->pw_uid, "\n0022\n"));
}

TEST_F(LoginTest, IsSeenAsALogin) {
  Process login =
      Login(absl::StrCat(kPermit, "session required pam_lastlog.so silent\n"),
            "/usr/bin/lastlog -u backup", "mount -t tmpfs none /var/log");
  EXPECT_THAT(login.ReadToEnd().value_or(""),
              ::testing::ContainsRegex("backup +berth "));
}

TEST_F(LoginTest, HolderThatIsNotThereIsSaid) {
  WriteTextFile(Path("berth"), absl::StrCat(kPermit, Call("note")));
  auto login = Process::Start(std::vector<std::string>{
      getenv("BERTH_LOGIN"), Path("berth"), kUser, Path("none")});
  ASSERT_TRUE(login.ok()) << login.status();
  EXPECT_THAT(Error(*login), HasSubstr("start " + Path("none")));
  EXPECT_EQ(login->Wait().value_or(-1), 0);
  EXPECT_EQ(ReadTextFile(Path("log")), "open_session\nclose_session\n");
}

}  // namespace
}  // namespace berth::testing
