// `berth agent install`, by real SSH servers on this machine: what it installs
// is below the test's own directory.

#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/install/install_fixture.h"
#include "tests/support/tty_program.h"

namespace berth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(InstallTest, InstallsAndRepairsAndKeepsSessions) {
  const Process::Finished first =
      Install({host_->Target("web01"), "--label", "site=lab"});
  ExpectInstalled(first);
  for (const char* done : {"installed", "berth-agent", "berth-holder",
                           "berth-login",
                           "joined as web01", "started berth-agent"}) {
    EXPECT_THAT(first.out, HasSubstr(done));
  }
  EXPECT_THAT(fleet_.Run({"computers", "web01", "-o", "json"}),
              HasSubstr("\"site\":\"lab\""));
  // The session that proved it is gone, and the token was for this one alone.
  EXPECT_EQ(fleet_.Sessions({}).size(), 0u);
  const std::string tokens = fleet_.Run({"admin", "token", "ls"});
  EXPECT_THAT(tokens, ::testing::ContainsRegex("web01 +1/1 +used"));

  fleet_.Run({"new", "-c", "web01", "--name", "work"});
  fleet_.Run({"run", "-s", "work", "--", "kept=yes; cd /usr"});
  fleet_.Run({"run", "-s", "work", "--detach", "--",
              absl::StrCat("while [ ! -e ", Path("go"),
                           " ]; do sleep 0.1; done; echo went on in $PWD")});
  const std::string certificate = ReadTextFile(Path("state/certificate.pem"));
  const std::string pid = AgentPid();

  // Nothing is missing.
  const Process::Finished second = Install({host_->Target()});
  ExpectInstalled(second);
  EXPECT_THAT(second.out, HasSubstr("web01: was installed already"));
  EXPECT_EQ(fleet_.Run({"admin", "token", "ls"}), tokens);
  EXPECT_EQ(AgentPid(), pid);

  // A program is missing, and another is of another version: the agent goes on
  // with the new one, in the same process.
  fs::remove(Path("prefix/bin/berth-holder"));
  std::error_code error;
  fs::copy_file(Path("prefix/bin/berth-agent"), Path("older"), error);
  WriteTextFile(Path("older"), ReadTextFile(Path("older")) + "older");
  fs::rename(Path("older"), Path("prefix/bin/berth-agent"));
  chmod(Path("prefix/bin/berth-agent").c_str(), 0755);
  const Process::Finished third = Install({host_->Target("web01")});
  ExpectInstalled(third);
  EXPECT_THAT(third.out, HasSubstr("installed " + Path("prefix/bin/berth-ag")));
  EXPECT_THAT(third.out, HasSubstr("installed " + Path("prefix/bin/berth-ho")));
  EXPECT_THAT(third.out, HasSubstr("began anew"));
  EXPECT_EQ(AgentPid(), pid);
  EXPECT_EQ(fs::read_symlink(
                "/proc/" + std::string(absl::StripSuffix(pid, "\n")) + "/exe"),
            Path("prefix/bin/berth-agent"));

  // The agent was stopped.
  int number = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripSuffix(pid, "\n"), &number));
  kill(number, SIGKILL);
  const Process::Finished fourth = Install({host_->Target("web01")});
  ExpectInstalled(fourth);
  EXPECT_THAT(fourth.out, HasSubstr("started berth-agent"));

  // All through it the session lived, and what ran in it; so did the identity.
  WriteTextFile(Path("go"), "");
  EXPECT_THAT(fleet_.Run({"receive", "work"}), HasSubstr("went on in /usr"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "work", "--", "echo $kept $PWD"}),
            "yes /usr\n");
  EXPECT_EQ(ReadTextFile(Path("state/certificate.pem")), certificate);

  // Who it is can't be changed in passing.
  const Process::Finished renamed = Install({host_->Target("web02")});
  EXPECT_EQ(renamed.exit_code, 1);
  EXPECT_THAT(renamed.out, HasSubstr("it is 'web01' in this fleet already"));
}

// A `sudo` that knows no password, in front of the real one's place.
TEST_F(InstallTest, BecomesRootBySudoWithoutAsking) {
  fs::create_directory(Path("fake"));
  const std::string sudo = Path("fake/sudo");
  WriteTextFile(sudo,
                "#!/bin/sh\necho \"sudo: a password is required\" >&2\n"
                "exit 1\n");
  chmod(sudo.c_str(), 0755);
  host_ = std::make_unique<SshServer>(
      Path("sshd-sudo"), public_key_, Path("home"),
      absl::StrCat("PATH=", Path("fake"), ":", getenv("PATH")));
  WriteTextFile(Path("known"), host_->KnownHost());
  const Process::Finished refused = Install({"--sudo", host_->Target("web01")});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.out, HasSubstr("sudo: a password is required; let that "
                                     "account use sudo without a password"));

  WriteTextFile(sudo,
                "#!/bin/sh\n[ \"$1\" = -n ] || exit 2\nshift\n"
                "echo \"$@\" >>" +
                    Path("by-sudo") + "\nexec \"$@\"\n");
  ExpectInstalled(Install({"--sudo", host_->Target("web01")}));
  const std::string ran = ReadTextFile(Path("by-sudo"));
  EXPECT_THAT(ran, HasSubstr("enable-computer"));
  // The token came on standard input, which nobody else sees.
  EXPECT_THAT(ran, HasSubstr("--token-file -"));
  EXPECT_THAT(ran, Not(HasSubstr("--token ")));
}

TEST_F(InstallTest, AsksOnATerminalAndShowsATable) {
  WriteTextFile(Path("known"), "");
  states_.insert(Path("state"));
  Process::Options options = fleet_.Command(
      {"agent", "install", "--prefix", Path("prefix"), "--state-dir",
       Path("state"), "--agent-config", Path("agent.toml"), "--known-hosts",
       Path("known"), "--plain", "--identity", Path("key"),
       host_->Target("web01")},
      "laptop");
  options.argv[0] = bin_ + "/berth";
  {
    TtyProgram refused(options, 24, 100);
    refused.WaitFor("key is SHA256:");
    refused.Type("no\r");
    refused.WaitFor("host key not known");
    EXPECT_EQ(refused.Wait(), 1);
  }
  TtyProgram berth(options, 24, 100);
  berth.WaitFor("(yes/no)?");
  berth.Type("yes\r");
  EXPECT_EQ(berth.Wait(absl::Minutes(1)), 0) << berth.Text();
  berth.Look();
  EXPECT_THAT(berth.Text(), HasSubstr("ok "));
  // One line, which changed.
  EXPECT_THAT(berth.output(), HasSubstr("\x1b[1A"));
  EXPECT_THAT(ReadTextFile(Path("known")),
              HasSubstr(absl::StrCat("[127.0.0.1]:", host_->port())));
}

TEST_F(InstallTest, OneThatFailsStopsNoOther) {
  auto other = Server("other");  // Its key is not known.
  const Process::Finished done = Install(
      {other->Target("web02"), host_->Target("web01"), "--parallel", "2"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.out,
              ::testing::ContainsRegex("FAILED +web02=.*host key not known"));
  EXPECT_THAT(done.out, HasSubstr("SHA256:"));
  EXPECT_THAT(done.out, ::testing::ContainsRegex("ok +web01=.*joined as"));
  EXPECT_EQ(fleet_.Run({"run", "-c", "web01", "--", "echo works"}), "works\n");
  EXPECT_THAT(other->Log(), Not(HasSubstr("Accepted publickey")));

  // The name is taken now, and this host is another.
  WriteTextFile(Path("known"), host_->KnownHost() + other->KnownHost());
  const Process::Finished taken =
      Install({other->Target("web01")}, "state-of-another");
  states_.erase(Path("state-of-another"));
  EXPECT_EQ(taken.exit_code, 1);
  EXPECT_THAT(taken.out, HasSubstr("a computer named 'web01' is in the fleet "
                                   "already, and online"));
  EXPECT_FALSE(fs::exists(Path("state-of-another")));
}

TEST_F(InstallTest, GoesThroughAJumpHostThatIsTrustedWithNothing) {
  auto gate = Server("gate");
  WriteTextFile(Path("known"), gate->KnownHost());
  // The far host's key is checked, too, although the way to it is good.
  const Process::Finished unknown =
      Install({host_->Target("inner"), "--via", gate->Target()});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.out, HasSubstr("host key not known"));
  EXPECT_THAT(unknown.out, Not(HasSubstr("jump host")));

  WriteTextFile(Path("known"), host_->KnownHost());
  const Process::Finished gate_unknown =
      Install({host_->Target("inner"), "--via", gate->Target()});
  EXPECT_EQ(gate_unknown.exit_code, 1);
  EXPECT_THAT(gate_unknown.out,
              ::testing::ContainsRegex("jump host .*host key not known"));

  WriteTextFile(Path("known"), host_->KnownHost() + gate->KnownHost());
  const Process::Finished done =
      Install({host_->Target("inner"), "--via", gate->Target()});
  ExpectInstalled(done);
  EXPECT_THAT(gate->Log(), HasSubstr("direct-tcpip"));
  EXPECT_EQ(fleet_.Run({"run", "-c", "inner", "--", "echo works"}), "works\n");
}

TEST_F(InstallTest, RefusesKeysThatDoNotFit) {
  // The host has another key than it had.
  auto other = Server("other");
  const std::string others = other->KnownHost();
  WriteTextFile(Path("known"),
                absl::StrCat("[127.0.0.1]:", host_->port(), " ",
                             others.substr(others.find(' ') + 1)));
  const Process::Finished changed =
      Install({host_->Target("web01"), "--accept-new"});
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_THAT(changed.out, HasSubstr("HOST KEY CHANGED"));

  // A key that was revoked is no new one.
  const std::string line = host_->KnownHost();
  WriteTextFile(Path("known"), "@revoked * " + line.substr(line.find(' ') + 1));
  const Process::Finished revoked =
      Install({host_->Target("web01"), "--accept-new"});
  EXPECT_EQ(revoked.exit_code, 1);
  EXPECT_THAT(revoked.out, HasSubstr("is revoked in known_hosts"));
  EXPECT_THAT(host_->Log(), Not(HasSubstr("Accepted publickey")));

  // The account does not know the user's key.
  WriteTextFile(Path("known"), "");
  MakeSshKey(Path("stranger"));
  const Process::Finished stranger =
      Install({host_->Target("web01"), "--accept-new",
               "--identity=" + Path("stranger")});
  EXPECT_EQ(stranger.exit_code, 1);
  EXPECT_THAT(stranger.out, ::testing::ContainsRegex("login as '.*' refused"));
  EXPECT_THAT(stranger.out, HasSubstr(Path("stranger")));
  // What --accept-new accepted is known from then on.
  EXPECT_THAT(ReadTextFile(Path("known")),
              HasSubstr(absl::StrCat("[127.0.0.1]:", host_->port())));
  states_.clear();  // Nothing was installed.
}

TEST_F(InstallTest, SaysWhatIsMissingBeforeItAsksAnyHost) {
  fs::remove(bin_ + "/berth-holder");
  const Process::Finished holder = Install({host_->Target("web01")});
  EXPECT_EQ(holder.exit_code, 1);
  EXPECT_THAT(holder.err, HasSubstr("there is no berth-holder to install"));
  const Process::Finished twice = Install({host_->Target(), host_->Target()});
  EXPECT_EQ(twice.exit_code, 1);
  EXPECT_THAT(twice.err, HasSubstr("named twice"));
  fs::remove(bin_ + "/berth-ssh");
  const Process::Finished ssh = Install({host_->Target("web01")});
  EXPECT_EQ(ssh.exit_code, 1);
  EXPECT_THAT(ssh.err, HasSubstr("install it beside berth"));
  EXPECT_THAT(host_->Log(), Not(HasSubstr("Connection from")));
  states_.clear();
}

}  // namespace
}  // namespace berth::testing
