// OpenSSH's own clients, at a real gateway before a real fleet.

#include "tests/gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/support/proc.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class GatewayTest : public ::testing::Test {
 protected:
  // All bytes there are, in no order that a tool might like.
  static std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    uint32_t state = 1;
    for (char& c : bytes)
      c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
  }

  Fleet fleet_{{"web01"}};
  Gateway gateway_{fleet_};
};

TEST_F(GatewayTest, CommandsAreExact) {
  const auto both =
      gateway_.Ssh("+web01", {"printf 'out\\n'; printf 'err\\n' >&2; exit 7"});
  EXPECT_EQ(both.out, "out\n");
  EXPECT_EQ(both.err, "err\n");
  EXPECT_EQ(both.exit_code, 7);
  for (const int status : {0, 1, 126, 127, 128, 255}) {
    EXPECT_EQ(gateway_.Ssh("+web01", {absl::StrCat("exit ", status)}).exit_code,
              status);
  }
  const std::string bytes = Bytes(1'500'000);
  EXPECT_EQ(gateway_.Ssh("+web01", {"cat"}, bytes).out, bytes);
  EXPECT_EQ(gateway_.Ssh("+web01", {"cat >&2"}, bytes).err, bytes);
  // What is not read does not stand in the way.
  EXPECT_EQ(gateway_.Ssh("+web01", {"echo done"}, bytes).out, "done\n");
  EXPECT_EQ(gateway_.Ssh("+web01", {"-T"}, "echo a; exit 3\n").exit_code, 3);
  // ssh says so of what a signal has killed: there is no status.
  const auto killed = gateway_.Ssh("+web01", {"-v", "kill -9 $$"});
  EXPECT_EQ(killed.exit_code, 255);
  EXPECT_THAT(killed.err, HasSubstr("exit-signal"));
  EXPECT_TRUE(fleet_.Sessions({}).empty());
}

// The session goes on, however its client goes.
TEST_F(GatewayTest, NamedSessionsGoOn) {
  gateway_.Ssh("+web01/deploy", {"x=42; cd /usr; f() { echo $x $PWD; }"});
  EXPECT_EQ(gateway_.Ssh("+web01/deploy", {"f"}).out, "42 /usr\n");
  // At its terminal, whose connection is cut.
  auto typed = Process::Start(gateway_.SshCommand("+web01/deploy", {"-tt"}));
  ASSERT_TRUE(typed.ok()) << typed.status();
  ASSERT_TRUE(typed->Write("x=43; echo; echo ready-$x\n").ok());
  ASSERT_TRUE(typed->WaitForLine("ready-43").ok());
  typed->StopWith(SIGKILL);
  EXPECT_EQ(gateway_.Ssh("+web01/deploy", {"f"}).out, "43 /usr\n");
  // Whoever has Berth finds it, too; and it outlives the gateway.
  EXPECT_EQ(fleet_.Session("deploy").computer(), "web01");
  gateway_.Stop();
  gateway_.Start();
  EXPECT_EQ(gateway_.Ssh("+web01/deploy", {"f"}).out, "43 /usr\n");
  EXPECT_EQ(fleet_.Sessions({}).size(), 1u);
}

TEST_F(GatewayTest, TerminalsAreReal) {
  const auto command =
      gateway_.Ssh("+web01", {"-tt", "tty >/dev/null && printf 'a b'; exit 5"});
  EXPECT_EQ(command.out, "a b");
  EXPECT_EQ(command.exit_code, 5);
  const auto shell = gateway_.Ssh("+web01", {"-tt"}, "echo $((6*7))\nexit 4\n");
  EXPECT_THAT(shell.out, HasSubstr("42"));
  EXPECT_EQ(shell.exit_code, 4);
  const auto none = gateway_.Ssh("+nowhere", {"-tt", "true"});
  EXPECT_THAT(none.out, HasSubstr("no computer 'nowhere'"));
  EXPECT_EQ(none.exit_code, 255);
  EXPECT_TRUE(fleet_.Sessions({}).empty());
}

TEST_F(GatewayTest, FilesAreCopied) {
  const std::string bytes = Bytes(3'000'000);
  WriteTextFile(fleet_.directory() + "/a", bytes);
  const auto copied = gateway_.Script(
      "set -e; cd $DIR\n"
      "scp -q -F $CONF a gw:$DIR/b; scp -q -O -F $CONF gw:$DIR/b c\n"
      "echo \"put c $DIR/d\" | sftp -q -F $CONF gw\n"
      "mkdir e; rsync -a -e \"ssh -F $CONF\" d gw:$DIR/e/\n");
  EXPECT_EQ(copied.exit_code, 0) << copied.err;
  for (const char* file : {"/b", "/c", "/d", "/e/d"}) {
    EXPECT_TRUE(ReadTextFile(fleet_.directory() + file) == bytes) << file;
  }
}

TEST_F(GatewayTest, VerbsOfBerthWithoutBerth) {
  fleet_.Run({"new", "-c", "web01", "--name", "mine"});
  EXPECT_THAT(gateway_.Ssh("", {"ls -o json"}).out, HasSubstr("\"mine\""));
  EXPECT_THAT(gateway_.Ssh("", {"computers"}).out, HasSubstr("web01"));
  // What would read and write the gateway's own files it does not have.
  for (const char* verb : {"run -s mine -- id", "cp mine:/etc/passwd /tmp",
                           "context ls", "admin user ls", "nonsense"}) {
    const auto refused = gateway_.Ssh("", {verb});
    EXPECT_EQ(refused.exit_code, 1) << verb;
    EXPECT_THAT(refused.err, HasSubstr("a gateway does not run this")) << verb;
  }
  EXPECT_THAT(gateway_.Ssh("", {"ls 'a"}).err, HasSubstr("not closed"));
  EXPECT_THAT(gateway_.Ssh("", {"ls --context prod"}).err,
              HasSubstr("only its own broker"));
  // The menu takes both.
  auto menu = Process::Start(gateway_.SshCommand("", {"-tt"}));
  ASSERT_TRUE(menu.ok()) << menu.status();
  ASSERT_TRUE(menu->WaitForLine("A computer, a computer/session").ok());
  ASSERT_TRUE(menu->Write("configurations\n").ok());
  ASSERT_TRUE(menu->WaitForLine("web01 ").ok());
  ASSERT_TRUE(menu->Write("web01/mine\necho; echo in-$((1+1))\n").ok());
  ASSERT_TRUE(menu->WaitForLine("in-2").ok());
  ASSERT_TRUE(menu->Write("exit\n").ok());
  ASSERT_TRUE(menu->WaitForLine("[detached").ok());
  ASSERT_TRUE(menu->Write("exit\n").ok());
  EXPECT_EQ(menu->Wait().value_or(-1), 0);
}

TEST_F(GatewayTest, ComputersHaveNamesInSshConfig) {
  const std::string printed = fleet_.Run(
      {"ssh-config", "--gateway", absl::StrCat("127.0.0.1:", gateway_.port()),
       "--user", "admin"});
  EXPECT_THAT(printed, HasSubstr("Host web01.berth\n"));
  WriteTextFile(fleet_.directory() + "/mine", printed);
  const auto reached = gateway_.Script(
      "cat $DIR/mine $CONF >$DIR/both; cd $DIR; echo text >t\n"
      "ssh -F both web01.berth 'echo reached' && scp -q -F both t "
      "web01.berth:$DIR/u && cat u");
  EXPECT_EQ(reached.out, "reached\ntext\n") << reached.err;
  for (const char* gateway :
       {"", "gw:0", "gw:x", "a b", "gw\n  ProxyCommand x"}) {
    const auto refused =
        fleet_.Berth({"ssh-config", "--user", "admin", "--gateway", gateway});
    EXPECT_NE(refused.exit_code, 0) << gateway;
    EXPECT_EQ(refused.out, "") << gateway;
  }
}

TEST_F(GatewayTest, LetsNobodyElseIn) {
  const auto as = [&](const std::string& user, const std::string& key) {
    return gateway_.Script(absl::StrCat(
        "ssh -F none -p $PORT -o IdentitiesOnly=yes "
        "-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=$DIR/kh -i ",
        key, " ", user, "@127.0.0.1 id"));
  };
  const std::string good = gateway_.directory() + "/id";
  ASSERT_EQ(as("admin+web01", good).exit_code, 0);
  gateway_.Script("ssh-keygen -q -t ecdsa -N '' -f $DIR/other");
  const std::string other = fleet_.directory() + "/other";
  const std::string denied = "Permission denied (publickey)";
  EXPECT_THAT(as("admin+web01", other).err, HasSubstr(denied));
  EXPECT_THAT(as("nobody+web01", good).err, HasSubstr(denied));
  EXPECT_THAT(as("admin+web01+x", good).err, HasSubstr(denied));
  // Another user, with a key of theirs, and only their own rights.
  fleet_.AddUser("bob");
  fleet_.Run(
      {"admin", "user", "key", "add", "bob", ReadTextFile(other + ".pub")});
  EXPECT_EQ(as("bob+web01", other).exit_code, 0);
  EXPECT_THAT(as("admin+web01", other).err, HasSubstr(denied));
  // Who is locked is shut out at once, also from what is open.
  const std::vector<std::string> stay = {
      "/bin/bash", "-c",
      absl::StrCat(
          "exec ssh -F none -p ", gateway_.port(),
          " -o IdentitiesOnly=yes -o UserKnownHostsFile=", fleet_.directory(),
          "/kh -i ", other, " bob+web01/stay@127.0.0.1 'echo on; sleep 60'")};
  auto open = Process::Start(stay);
  ASSERT_TRUE(open.ok());
  ASSERT_TRUE(open->WaitForLine("on").ok());
  fleet_.Run({"admin", "user", "lock", "bob"});
  const auto ended = open->Wait();
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(*ended, 255);
  EXPECT_THAT(as("bob+web01", other).err, HasSubstr(denied));
  // It is all in the audit log.
  const std::string log =
      fleet_.Run({"admin", "audit", "search", "--verb", "gateway.login"});
  EXPECT_THAT(log, HasSubstr("user=bob"));
  EXPECT_THAT(log, HasSubstr("address=127.0.0.1:"));
}

TEST_F(GatewayTest, ForwardsOnlyWhereItMay) {
  const std::string to = absl::StrCat("localhost:", gateway_.port());
  EXPECT_NE(gateway_.Ssh("+web01", {"-W" + to}).exit_code, 0);
  EXPECT_THAT(gateway_.Log(), HasSubstr("may not forward to localhost"));
  EXPECT_NE(gateway_
                .Ssh("+web01",
                     {"-R0:localhost:1", "-oExitOnForwardFailure=yes", "true"})
                .exit_code,
            0);
  gateway_.Stop();
  gateway_.Configure(absl::StrCat("forward = [\"", to, "\"]"));
  gateway_.Start();
  // To itself: what answers is known.
  auto forwarded = Process::Start(gateway_.SshCommand("+web01", {"-W" + to}));
  ASSERT_TRUE(forwarded.ok());
  EXPECT_TRUE(forwarded->WaitForLine("SSH-2.0-").ok());
  // As ssh -J has it: the computer is where to.
  auto jumped = Process::Start(gateway_.SshCommand(
      "", {absl::StrCat("-Wweb01.berth:", gateway_.port())}));
  ASSERT_TRUE(jumped.ok());
  EXPECT_TRUE(jumped->WaitForLine("SSH-2.0-").ok());
  EXPECT_NE(gateway_.Ssh("+web01", {"-Wlocalhost:1"}).exit_code, 0);
}

// `ssh ... | head` must end, as with sshd.
TEST_F(GatewayTest, WhoReadsNoMoreEndsTheCommand) {
  const auto headed =
      gateway_.Script("ssh -F $CONF gw yes | head -1", absl::Seconds(20));
  EXPECT_EQ(headed.out, "y\n");
  for (int i = 0; i < 400 && !fleet_.Sessions({}).empty(); ++i) {
    absl::SleepFor(absl::Milliseconds(50));
  }
  EXPECT_TRUE(fleet_.Sessions({}).empty());
}

// A client that does not read stops the command, and nothing grows.
TEST_F(GatewayTest, WhoDoesNotReadStopsTheCommand) {
  const std::string count = fleet_.directory() + "/count";
  auto stopped = Process::Start(gateway_.SshCommand(
      "+web01", {absl::StrCat("i=0; while head -c 1000000 /dev/zero; do "
                              "i=$((i+1)); echo $i >",
                              count, "; done")}));
  ASSERT_TRUE(stopped.ok());
  // Until it stands still.
  int before = -1, now = 0;
  for (int i = 0; i < 40 && before != now; ++i) {
    before = now;
    absl::SleepFor(absl::Seconds(1));
    (void)absl::SimpleAtoi(ReadTextFile(count), &now);
  }
  EXPECT_EQ(before, now);
  EXPECT_GT(now, 0);
  EXPECT_LT(now, 200);
  EXPECT_LT(PrivateDirtyKilobytes(gateway_.pid()), 100 * 1024);
  // It goes on when that does.
  ASSERT_TRUE(stopped->ReadExactly(50'000'000).ok());
  int later = now;
  for (int i = 0; i < 100 && later <= now; ++i) {
    absl::SleepFor(absl::Milliseconds(100));
    (void)absl::SimpleAtoi(ReadTextFile(count), &later);
  }
  EXPECT_GT(later, now);
}

TEST_F(GatewayTest, StrangersAreBounded) {
  gateway_.Stop();
  gateway_.Configure("strangers_per_address = 3");
  gateway_.Configure("login_grace = \"2s\"");
  gateway_.Start();
  // They say nothing; who comes after them is turned away until they are gone.
  const auto held = gateway_.Script(
      "for i in 1 2 3; do exec {fd}<>/dev/tcp/127.0.0.1/$PORT; done\n"
      "ssh -F $CONF gw true; echo first=$?\n"
      "for i in $(seq 100); do ssh -F $CONF gw true 2>/dev/null && break;\n"
      "  read -t 0.2 <> <(:); done; echo then=$?\n");
  EXPECT_THAT(held.out, HasSubstr("first=255"));
  EXPECT_THAT(held.out, HasSubstr("then=0"));
  EXPECT_THAT(gateway_.Log(), HasSubstr("`strangers_per_address`"));
  EXPECT_THAT(gateway_.Log(), HasSubstr("did not log in in time"));
}

}  // namespace
}  // namespace berth::testing
