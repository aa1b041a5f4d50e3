// Sessions that run as other accounts than the agent, which is root: who their
// shells are, what they can't reach, and what the computer's rules refuse.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/run_as_fixture.h"
#include "tests/support/tty_program.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(RunAsTest, ShellIsItsUserInEveryWay) {
  const passwd user = Entry(kUser);
  New("a");
  EXPECT_EQ(fleet_->Session("a").run_as(), kUser);
  EXPECT_THAT(fleet_->Run({"ls", "a", "-o", "wide"}), HasSubstr(kUser));
  EXPECT_EQ(
      In("a", "grep -E '^(Uid|Gid):' /proc/self/status"),
      absl::StrCat("Uid:\t", user.pw_uid, "\t", user.pw_uid, "\t", user.pw_uid,
                   "\t", user.pw_uid, "\nGid:\t", user.pw_gid, "\t",
                   user.pw_gid, "\t", user.pw_gid, "\t", user.pw_gid, "\n"));
  EXPECT_EQ(In("a", "id -G"), In("a", absl::StrCat("id -G ", kUser)));
  EXPECT_EQ(In("a",
               "grep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status |"
               " cut -f2 | sort -u"),
            "0000000000000000\n");
  EXPECT_EQ(In("a", "echo $HOME $USER $LOGNAME; pwd"),
            absl::StrCat(user.pw_dir, " ", kUser, " ", kUser, "\n", user.pw_dir,
                         "\n"));
  // By name, as scripts do, though the pipes and terminal were made by another.
  EXPECT_EQ(In("a",
               "echo out >/dev/fd/1; echo err 2>&1 >/dev/fd/2;"
               " echo tty >$(ps -o tty= -p $$ | sed s,^,/dev/,)"),
            "out\nerr\n");
  EXPECT_EQ(fleet_->Run({"run", "-s", "a", "--", "cat /dev/fd/0"}, "typed"),
            "typed");
  EXPECT_EQ(In("a", "ls /proc/self/fd | wc -l"), "4\n") << "0 to 3, ls's own";
}

TEST_F(RunAsTest, HolderHasNoRightsButToSignal) {
  New("a");
  const pid_t holder = fleet_->HolderPid("a");
  const std::string status =
      ReadTextFile(absl::StrCat("/proc/", holder, "/status"));
  EXPECT_THAT(status, HasSubstr(absl::StrCat("Uid:\t", kHolder, "\t", kHolder,
                                             "\t", kHolder)));
  EXPECT_THAT(status, HasSubstr("Groups:\t \n"));
  EXPECT_THAT(status, HasSubstr("CapPrm:\t0000000000000020\n"));
  EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000020\n"));
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
  struct stat info;
  ASSERT_EQ(stat(absl::StrCat("/proc/", holder, "/mem").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0u) << "it can be traced and dumped by its user";
  ASSERT_EQ(stat(Directory("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, kHolder);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
}

TEST_F(RunAsTest, ShellCanNotReachItsHolderItsLogsOrOtherSessions) {
  New("a");
  New("same");
  New("other", {"--run-as", kOther});
  EXPECT_EQ(In("other", "id -un"), absl::StrCat(kOther, "\n"));
  In("a", "echo secret of a");
  const pid_t victims[] = {
      fleet_->HolderPid("a"), fleet_->HolderPid("same"),
      fleet_->HolderPid("other"), fleet_->AgentPid(kComputer),
      static_cast<pid_t>(fleet_->Session("other").shell_pid())};
  for (const pid_t pid : victims) {
    const std::string proc = absl::StrCat("/proc/", pid, "/");
    EXPECT_THAT(Try("a", absl::StrCat("kill -STOP ", pid)),
                HasSubstr("not permitted"));
    EXPECT_THAT(Try("a", absl::StrCat("kill -KILL ", pid)),
                HasSubstr("not permitted"));
    for (const char* file : {"environ", "mem", "maps", "fd/0"}) {
      EXPECT_THAT(Try("a", absl::StrCat("cat ", proc, file)),
                  HasSubstr("Permission denied"))
          << file;
    }
    EXPECT_THAT(Try("a", absl::StrCat("ls ", proc, "fd")),
                HasSubstr("Permission denied"));
    EXPECT_THAT(
        Try("a", absl::StrCat("python3 -c 'import ctypes, os\n"
                              "c = ctypes.CDLL(None, use_errno=True)\n"
                              "r = c.ptrace(0x4206, ",
                              pid,
                              ", 0, 0)\n"  // PTRACE_SEIZE
                              "print(r, os.strerror(ctypes.get_errno()))'")),
        HasSubstr("-1 Operation not permitted"));
  }
  for (const char* session : {"a", "same", "other"}) {
    const std::string directory = Directory(session);
    for (const char* attempt :
         {"ls $D", "cat $D/c1.0000000000000000", "echo x >>$D/journal",
          "echo x >$D/new", "rm -rf $D", "mv $D /tmp/stolen",
          "python3 -c 'import socket, os\n"
          "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
          "s.connect(os.environ[\"D\"] + \"/socket\")'"}) {
      EXPECT_THAT(Try("a", absl::StrCat("export D=", directory, "; ", attempt)),
                  HasSubstr("ermission denied"))
          << attempt;
    }
  }
  // All is as it was.
  EXPECT_THAT(ReadTextFile(Directory("a") + "/c1.0000000000000000"),
              HasSubstr("secret of a"));
  EXPECT_EQ(In("other", "echo lives"), "lives\n");
}

// Whatever its programs become, the session's end reaches them.
TEST_F(RunAsTest, EndsWithAllThatItStarted) {
  New("a");
  In("a", "setsid nohup sleep 1000 >/dev/null 2>&1 & echo $!");
  const std::string pid(absl::StripSuffix(
      In("a",
         "for i in {1..500}; do pgrep -n -u backup -x sleep && break; done"),
      "\n"));
  ASSERT_TRUE(std::filesystem::exists("/proc/" + pid));
  fleet_->Run({"rm", "a"});
  EXPECT_FALSE(std::filesystem::exists("/proc/" + pid));
}

TEST_F(RunAsTest, LivesOnWhenItsAgentIsReplaced) {
  New("a");
  In("a", "X=kept");
  fleet_->KillAgent(kComputer, SIGKILL);
  fleet_->StartAgent(kComputer);
  fleet_->WaitFor({"run", "-s", "a", "--", "echo $X; id -un"},
                  "kept\nbackup\n");
}

TEST_F(RunAsTest, CopiesWithTheRightsOfItsUser) {
  New("a");
  const std::string local = fleet_->directory() + "/file";
  WriteTextFile(local, "copied");
  In("a", "mkdir -m 700 /tmp/berth-run-as.$$; cd /tmp/berth-run-as.$$");
  fleet_->Run({"cp", local, "a:there"});
  EXPECT_EQ(In("a", "stat -c '%U' there; cat there"), "backup\ncopied");
  fleet_->Run({"cp", "a:there", local + ".back"});
  EXPECT_EQ(ReadTextFile(local + ".back"), "copied");
  for (const std::vector<std::string>& refused :
       std::vector<std::vector<std::string>>{
           {"cp", local, "a:/root/planted"},
           {"cp", local, "a:/etc/planted"},
           {"cp", "a:/etc/shadow", local + ".shadow"},
           {"cp", absl::StrCat("a:", Directory("a"), "/journal"),
            local + ".journal"}}) {
    const Process::Finished done = fleet_->Berth(refused);
    EXPECT_NE(done.exit_code, 0) << refused[1];
    EXPECT_THAT(done.err, HasSubstr("ermission denied")) << refused[1];
  }
  EXPECT_FALSE(std::filesystem::exists("/root/planted"));
  In("a", "cd /; rm -r /tmp/berth-run-as.$$");
}

TEST_F(RunAsTest, RestrictedSessionsAndOtherShellsToo) {
  fleet_->Register(kComputer, "few",
                   "kind = \"restricted\"\n"
                   "allowed = [{ name = \"id\", path = \"/usr/bin/id\", "
                   "arguments = [\"-un\"] }, { name = \"pwd\", path = "
                   "\"/bin/pwd\" }, { name = \"cat\", path = \"/bin/cat\", "
                   "arguments = [\"[a-z/]+\"], repeat_last = true }]\n");
  fleet_->Register(kComputer, "py", "shell = \"/usr/bin/python3\"\n");
  New("r", {"--configuration", "few"});
  EXPECT_EQ(In("r", "id -un"), "backup\n");
  EXPECT_THAT(In("r", "cat /proc/self/status"), HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(In("r", "cat /proc/self/status"),
              HasSubstr("CapPrm:\t0000000000000000"));
  const std::string local = fleet_->directory() + "/file";
  WriteTextFile(local, "copied");
  fleet_->Run({"cp", local, "r:there"});
  EXPECT_EQ(In("r", "cat there"), "copied");
  New("p", {"--configuration", "py"});
  EXPECT_EQ(In("p", "import os; print(os.getuid() == " +
                        absl::StrCat(Entry(kUser).pw_uid) + ")"),
            "True\n");
}

TEST_F(RunAsTest, RefusesWhatTheRulesDoNotAllow) {
  EXPECT_THAT(Refused({"--run-as", "root"}), HasSubstr("it is root's"));
  EXPECT_THAT(Refused({"--run-as", "daemon"}), HasSubstr("the system's"));
  EXPECT_THAT(Refused({"--run-as", "no-such-account"}),
              HasSubstr("has no account 'no-such-account'"));
  Configure(
      "run_as = \"caller\"\nholder_user = \"no-such-account\"\n"
      "[users]\nadmin = \"backup\"\n");
  EXPECT_THAT(Refused({}), HasSubstr("allowed_run_as in its agent.toml"));
  Configure(
      "run_as = \"backup\"\nallowed_run_as = [\"backup\"]\n"
      "holder_user = \"no-such-account\"\n");
  EXPECT_THAT(Refused({}), HasSubstr("useradd --system"));
  Configure("allowed_owners = [\"nobody-else\"]\n");
  EXPECT_THAT(Refused({}), HasSubstr("allowed_owners"));
}

// Sessions that are gone afterwards as well.
TEST_F(RunAsTest, TemporarySessionsToo) {
  EXPECT_EQ(fleet_->Run({"run", "-c", kComputer, "--", "id -un"}), "backup\n");
  EXPECT_EQ(
      fleet_->Run({"run", "-c", kComputer, "--run-as", kOther, "--", "id -un"}),
      "games\n");
  const Process::Finished root = fleet_->Berth(
      {"run", "-c", kComputer, "--run-as", "root", "--", "id -un"});
  EXPECT_NE(root.exit_code, 0);
  EXPECT_EQ(root.out, "");
  EXPECT_THAT(root.err, HasSubstr("it is root's"));
  {
    TtyProgram visit(
        fleet_->Command({"enter", "-c", kComputer, "--run-as", kOther}, "me"));
    visit.Type("id -un | sed s/^/i.am./\r");
    visit.WaitForLine("i.am.games");
    visit.Type("exit 3\r");
    EXPECT_EQ(visit.Wait(), 3);
  }
  EXPECT_EQ(fleet_->Sessions({}).size(), 0u);
  // One that there is, is somebody already.
  New("a");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{
           {"run", "-s", "a", "--run-as", kOther, "--", "id -un"},
           {"enter", "a", "--run-as", kOther}}) {
    const Process::Finished done = fleet_->Berth(words);
    EXPECT_NE(done.exit_code, 0);
    EXPECT_THAT(done.err, HasSubstr("--run-as and --configuration are for"));
  }
}

// The administrator's word, which no broker can lift and no restart forgets.
TEST_F(RunAsTest, FrozenComputerMakesNoNewSessions) {
  const auto agent = [&](std::vector<std::string> words) {
    words.insert(words.begin(), getenv("BERTH_AGENT"));
    words.insert(words.end(),
                 {"--state-dir", fleet_->AgentDirectory(kComputer)});
    const auto done = Process::Run({.argv = words});
    EXPECT_TRUE(done.ok() && done->exit_code == 0)
        << (done.ok() ? done->err : done.status().ToString());
  };
  New("old");
  agent({"freeze", "--reason", "its disk is replaced"});
  fleet_->WaitFor({"computers", "-o", "wide"}, "its disk is replaced");
  EXPECT_THAT(fleet_->Run({"computers"}), HasSubstr("Frozen"));
  EXPECT_THAT(Refused({}), HasSubstr("is frozen (its disk is replaced)"));
  EXPECT_EQ(In("old", "echo lives"), "lives\n");
  fleet_->KillAgent(kComputer, SIGKILL);
  fleet_->StartAgent(kComputer);
  fleet_->WaitFor({"computers"}, "Frozen");
  EXPECT_THAT(Refused({}), HasSubstr("is frozen"));
  agent({"unfreeze"});
  fleet_->WaitFor({"computers"}, "Online");
  New("new");
}

// Who may write its settings is their signature.
TEST_F(RunAsTest, SettingsThatOthersCanWriteAreRefused) {
  const std::string file = fleet_->AgentDirectory(kComputer) + "/agent.toml";
  ASSERT_EQ(chmod(file.c_str(), 0666), 0);
  WriteTextFile(file, "run_as = \"agent\"\n");
  ASSERT_EQ(kill(fleet_->AgentPid(kComputer), SIGHUP), 0);
  fleet_->WaitFor({"configurations", "-o", "json"}, "chmod go-w");
  New("a");
  EXPECT_EQ(In("a", "id -un"), "backup\n") << "it stays as it was";
}

}  // namespace
}  // namespace berth::testing
