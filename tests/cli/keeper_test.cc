// The keeper: its life, and who may speak to it.

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/unique_fd.h"
#include "cli/keeper/frame.h"
#include "cli/keeper/keeper.pb.h"
#include "cli/keeper/socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/cli_fixture.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

bool WaitForEnd(pid_t pid) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (kill(pid, 0) == 0 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(5));  // Between two looks, no more.
  }
  return kill(pid, 0) != 0;
}

class KeeperTest : public CliFixture {
 protected:
  // Sends bytes to the keeper and returns what it answers until it hangs up.
  std::string Say(const std::string& bytes, const std::vector<int>& fds = {}) {
    auto socket = cli::ConnectTo(KeeperSocket());
    EXPECT_TRUE(socket.ok()) << socket.status();
    EXPECT_TRUE(cli::SendAll(socket->get(), bytes, fds).ok());
    std::string answer;
    for (;;) {
      pollfd readable = {socket->get(), POLLIN, 0};
      if (poll(&readable, 1, 10000) != 1) return "no answer";
      auto received = cli::Receive(socket->get());
      if (!received.ok() || received->data.empty()) return answer;
      answer += received->data;
    }
  }
};

TEST_F(KeeperTest, StartsOnDemandAndStopsWhenTold) {
  EXPECT_EQ(KeeperPid(), 0);
  EXPECT_EQ(Berth({"ls"}).exit_code, 0);
  const pid_t pid = KeeperPid();
  ASSERT_GT(pid, 0);
  EXPECT_EQ(Berth({"ls"}).exit_code, 0);
  EXPECT_EQ(KeeperPid(), pid);
  EXPECT_THAT(Berth({"keeper", "status"}).out, HasSubstr("(present)"));
  struct stat info;
  ASSERT_EQ(stat((dir_.path() + "/run/berth").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_EQ(Berth({"keeper", "stop"}).exit_code, 0);
  EXPECT_TRUE(WaitForEnd(pid));
  EXPECT_EQ(KeeperPid(), 0);
}

TEST_F(KeeperTest, ManyAtOnceStartOne) {
  std::vector<Process> processes;
  for (int i = 0; i < 12; ++i) {
    processes.push_back(Start({"run", "-s", "1", "--", "true"}));
  }
  for (Process& process : processes) EXPECT_EQ(process.Wait().value(), 0);
  EXPECT_GT(KeeperPid(), 0);
  EXPECT_EQ(broker_.present(), 1);
}

TEST_F(KeeperTest, EndsWhenUnused) {
  more_environment_ = {"BERTH_KEEPER_IDLE=100ms"};
  ASSERT_EQ(Berth({"ls"}).exit_code, 0);
  const pid_t pid = KeeperPid();
  if (pid != 0) {
    EXPECT_TRUE(WaitForEnd(pid));
  }
  struct stat info;
  EXPECT_NE(stat(KeeperSocket().c_str(), &info), 0);
}

TEST_F(KeeperTest, AKilledOneIsReplaced) {
  ASSERT_EQ(Berth({"ls"}).exit_code, 0);
  const pid_t pid = KeeperPid();
  kill(pid, SIGKILL);
  ASSERT_TRUE(WaitForEnd(pid));
  EXPECT_EQ(Berth({"ls"}).exit_code, 0);
  EXPECT_NE(KeeperPid(), pid);
  EXPECT_NE(KeeperPid(), 0);
}

TEST_F(KeeperTest, AnotherBuildIsRefusedAndTheKeeperMakesRoom) {
  ASSERT_EQ(Berth({"ls"}).exit_code, 0);
  const pid_t pid = KeeperPid();
  cli::keeper::ClientMessage message;
  message.set_build_id("another build");
  message.mutable_invoke()->add_args("ls");
  cli::FrameDecoder decoder;
  decoder.Add(Say(cli::EncodeFrame(message.SerializeAsString()), {0, 1, 2}));
  cli::keeper::KeeperMessage answer;
  ASSERT_TRUE(answer.ParseFromString(decoder.Next()->value()));
  EXPECT_THAT(answer.refused().reason(), HasSubstr("another build"));
  EXPECT_TRUE(WaitForEnd(pid));
  EXPECT_EQ(Berth({"ls"}).exit_code, 0);
  EXPECT_NE(KeeperPid(), pid);
}

TEST_F(KeeperTest, GarbageHarmsNobody) {
  Process run = Start({"run", "-s", "1", "--", "hang"});
  ASSERT_TRUE(broker_.WaitFor([](const auto&) { return true; }));
  const pid_t pid = KeeperPid();
  EXPECT_EQ(Say(std::string("\xff\xff\xff\xff more", 9)), "");
  EXPECT_EQ(Say(cli::EncodeFrame("\xff\xff")), "");
  cli::keeper::ClientMessage message;
  message.mutable_invoke()->add_args("ls");
  {
    auto socket = cli::ConnectTo(KeeperSocket());
    ASSERT_TRUE(socket.ok());
    ASSERT_TRUE(cli::SendAll(socket->get(), "half a", {0, 1}).ok());
  }
  EXPECT_EQ(KeeperPid(), pid);
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130);
}

TEST_F(KeeperTest, AnUnreachableBrokerIsTriedAgainByTheNextCommand) {
  ASSERT_EQ(Berth({"ls"}).exit_code, 0);
  broker_.Stop();
  const Process::Finished finished = Berth({"ls"});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.err, HasSubstr("can't be reached"));
  broker_.Start();
  EXPECT_EQ(Berth({"ls"}).exit_code, 0);
}

TEST_F(KeeperTest, StopWaitsForCommands) {
  Process run = Start({"run", "-s", "1", "--", "hang"});
  ASSERT_TRUE(broker_.WaitFor([](const auto&) { return true; }));
  const pid_t pid = KeeperPid();
  EXPECT_THAT(Berth({"keeper", "stop"}).out, HasSubstr("1 commands"));
  EXPECT_EQ(Berth({"ls"}).exit_code, 0);
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130);
  EXPECT_TRUE(WaitForEnd(pid));
}

}  // namespace
}  // namespace berth::testing
