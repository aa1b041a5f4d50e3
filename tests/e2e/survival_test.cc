// What lives on when something dies: each test does the thing and looks.

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

// Prints `mib` MiB that no two offsets of share, the same each time.
std::string Noise(int mib) {
  return absl::StrCat("head -c ", mib,
                      "M /dev/zero | openssl enc -aes-128-ctr "
                      "-K 00112233445566778899aabbccddeeff "
                      "-iv 00000000000000000000000000000000");
}

off_t SizeOf(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

void WaitForSize(const std::string& path, off_t size) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (SizeOf(path) < size && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(2));  // Between two looks, no more.
  }
  ASSERT_GE(SizeOf(path), size);
}

std::string Sha256(const std::string& shell) {
  auto sum = Process::Run(
      {.argv = {"/bin/sh", "-c", absl::StrCat("{ ", shell, "; } | sha256sum")}},
      "", absl::Minutes(2));
  EXPECT_TRUE(sum.ok());
  return sum.ok() ? sum->out : "";
}

class SurvivalTest : public ::testing::Test {
 protected:
  SurvivalTest() : fleet_({"Server01"}) {
    fleet_.Run({"new", "-c", "Server01"});
    file_ = fleet_.directory() + "/out";
  }

  // Starts `berth` with stdout appended to `file_`.
  Process StartToFile(const std::vector<std::string>& arguments,
                      const std::string& client = "laptop") {
    Process::Options options = fleet_.Command(arguments, client);
    std::vector<std::string> argv = {
        "/bin/sh", "-c",
        absl::StrCat("exec \"$0\" \"$@\" >>", file_, " </dev/null")};
    argv.insert(argv.end(), options.argv.begin(), options.argv.end());
    options.argv = argv;
    options.stderr_path = fleet_.directory() + "/berth.err";
    auto process = Process::Start(options);
    EXPECT_TRUE(process.ok()) << process.status();
    return *std::move(process);
  }

  // The process that holds session 1, from the file it keeps; 0 if none.
  pid_t HolderPid() {
    const std::string identity = ReadTextFile(
        absl::StrCat(fleet_.AgentDirectory("Server01"), "/sessions/",
                     fleet_.Session("1").instance_id(), "/holder"));
    pid_t pid = 0;
    std::istringstream(identity).ignore(4) >> pid;  // "pid 4711"
    return pid;
  }

  std::string Errors() {
    return ReadTextFile(fleet_.directory() + "/berth.err");
  }

  Fleet fleet_;
  std::string file_;
};

TEST_F(SurvivalTest, ReceiveGoesOnAtTheByteWhereAKilledClientStopped) {
  Process run = StartToFile({"run", "-s", "1", "--", Noise(1024)});
  WaitForSize(file_, 100 << 20);
  run.StopWith(SIGKILL);
  Process receive = StartToFile({"receive", "1"});
  auto code = receive.Wait(absl::Minutes(2));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << Errors();
  EXPECT_EQ(SizeOf(file_), 1024l << 20);
  EXPECT_EQ(Sha256("cat " + file_), Sha256(Noise(1024)));
}

TEST_F(SurvivalTest, WithoutKeeperAnOffsetContinuesExactly) {
  Process run = StartToFile({"--no-keeper", "run", "-s", "1", "--", Noise(64)});
  WaitForSize(file_, 8 << 20);
  run.StopWith(SIGKILL);
  Process receive = StartToFile(
      {"--no-keeper", "receive", "1", "--from", absl::StrCat(SizeOf(file_))});
  auto code = receive.Wait(absl::Minutes(2));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << Errors();
  EXPECT_EQ(Sha256("cat " + file_), Sha256(Noise(64)));
}

TEST_F(SurvivalTest, DeadClientLeavesItsSessionDisconnectedAndRunning) {
  const std::string fifo = fleet_.directory() + "/go";
  Process run =
      fleet_.Start({"run", "-s", "1", "--",
                    "v=kept; mkfifo " + fifo + "; echo one; read -r x <" +
                        fifo + "; echo two"});
  ASSERT_EQ(run.ReadExactly(4).value(), "one\n");
  const pid_t keeper = fleet_.KeeperPid();
  ASSERT_GT(keeper, 0);
  kill(keeper, SIGKILL);
  run.StopWith(SIGKILL);
  fleet_.WaitFor({"ls", "1", "-o", "jsonl"}, "disconnectedAt",
                 absl::Seconds(20), "desk");
  EXPECT_EQ(fleet_.Session("1", "desk").state(),
            v1::SESSION_STATE_DISCONNECTED);
  EXPECT_EQ(fleet_.Session("1", "desk").availability(),
            v1::SESSION_AVAILABILITY_BUSY);
  ASSERT_TRUE(
      Process::Run({.argv = {"/bin/sh", "-c", "echo go >" + fifo}}).ok());
  fleet_.Run({"connect", "1"}, "", "desk");
  EXPECT_THAT(fleet_.Run({"receive", "1"}, "", "desk"), HasSubstr("two\n"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}, "", "desk"),
            "kept\n");
}

TEST_F(SurvivalTest, OutputGoesOnAtItsByteAfterTheBrokerWasKilled) {
  Process run =
      StartToFile({"run", "-s", "1", "--", Noise(256) + "; (exit 7)"});
  WaitForSize(file_, 20 << 20);
  fleet_.KillBroker(SIGKILL);
  fleet_.StartBroker();
  auto code = run.Wait(absl::Minutes(2));
  ASSERT_TRUE(code.ok()) << code.status() << Errors();
  EXPECT_EQ(*code, 7) << Errors();
  EXPECT_EQ(Sha256("cat " + file_), Sha256(Noise(256)));
}

TEST_F(SurvivalTest, OutputGoesOnAtItsByteAfterTheAgentWasKilled) {
  Process run =
      StartToFile({"run", "-s", "1", "--", Noise(256) + "; (exit 7)"});
  WaitForSize(file_, 20 << 20);
  fleet_.KillAgent("Server01", SIGKILL);
  fleet_.StartAgent("Server01");
  auto code = run.Wait(absl::Minutes(2));
  ASSERT_TRUE(code.ok()) << code.status() << Errors();
  EXPECT_EQ(*code, 7) << Errors();
  EXPECT_EQ(Sha256("cat " + file_), Sha256(Noise(256)));
}

TEST_F(SurvivalTest, SessionIsBrokenWhileItsAgentIsAwayAndKeepsItsState) {
  fleet_.Run({"run", "-s", "1", "--", "v=kept"});
  fleet_.KillAgent("Server01", SIGTERM);
  fleet_.WaitForState("1", v1::SESSION_STATE_BROKEN);
  EXPECT_TRUE(fleet_.Session("1").has_broken_since());
  auto refused = fleet_.Berth({"run", "-s", "1", "--no-wait", "--", "true"});
  EXPECT_EQ(refused.exit_code, 125);
  EXPECT_THAT(refused.err, HasSubstr("Server01"));
  fleet_.StartAgent("Server01");
  fleet_.WaitForState("1", v1::SESSION_STATE_OPENED);
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}), "kept\n");
}

TEST_F(SurvivalTest, BrokerThatLostItsRegistryLearnsTheSessionsFromAgents) {
  fleet_.Run({"run", "-s", "1", "--", "v=kept"});
  const std::string id = fleet_.Session("1").instance_id();
  fleet_.KillBroker(SIGKILL);
  ASSERT_TRUE(
      Process::Run({.argv = {"/bin/sh", "-c",
                             "rm " + fleet_.directory() + "/broker/registry*"}})
          .ok());
  fleet_.StartBroker();
  fleet_.WaitFor({"ls", "-o", "jsonl"}, id);
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}), "kept\n");
  fleet_.Run({"new", "-c", "Server01"});
  EXPECT_EQ(fleet_.Session("2").name(), "Session2");
}

TEST_F(SurvivalTest, KilledHolderClosesTheSessionAndItsOutputStaysReadable) {
  fleet_.Run({"run", "-s", "1", "--", "echo logged"});
  Process run = fleet_.Start({"run", "-s", "1", "--", "echo on; sleep 1000"});
  ASSERT_EQ(run.ReadExactly(3).value(), "on\n");
  const pid_t shell = static_cast<pid_t>(fleet_.Session("1").shell_pid());
  const pid_t holder = HolderPid();
  ASSERT_GT(holder, 1);
  kill(holder, SIGKILL);
  fleet_.WaitForState("1", v1::SESSION_STATE_CLOSED);
  EXPECT_EQ(fleet_.Session("1").end().reason(), v1::END_REASON_HOLDER_LOST);
  EXPECT_EQ(run.Wait().value(), 125);
  EXPECT_EQ(fleet_.Run({"receive", "1", "--from-start"}), "on\n");
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (kill(shell, 0) == 0 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_NE(kill(shell, 0), 0) << "the shell outlived its holder";
}

TEST_F(SurvivalTest, ShellThatExitsClosesItsSessionWithTheStatus) {
  auto run = fleet_.Berth(
      {"run", "-s", "1", "--exit-ends-session", "--", "echo bye; exit 3"});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.out, "bye\n");
  fleet_.WaitForState("1", v1::SESSION_STATE_CLOSED);
  const v1::Session session = fleet_.Session("1");
  EXPECT_EQ(session.end().reason(), v1::END_REASON_SHELL_EXITED);
  EXPECT_EQ(session.end().exit_status().code(), 3);
  EXPECT_EQ(fleet_.Run({"receive", "1", "--from-start"}), "bye\n");
  fleet_.Run({"rm", "1"});
  EXPECT_TRUE(fleet_.Sessions({}).empty());
}

}  // namespace
}  // namespace berth::testing
