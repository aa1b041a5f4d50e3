// The broker is killed at any moment, and loses its registry in every way:
// deleted, damaged, restored from an older copy, on a full disk. It comes up,
// learns from the agents what lives, and says what it could not know.

#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A disk of the test's own, gone when all that used it is.
struct SmallDisk {
  ~SmallDisk() {
    if (path.empty()) return;
    umount2(path.c_str(), MNT_DETACH);
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    // The fleet's, which could not be removed as long as this was in it.
    std::filesystem::remove(std::filesystem::path(path).parent_path(), ignored);
  }
  std::string path;
};

class BrokerLossTest : public ::testing::Test {
 protected:
  std::string Registry() const {
    return fleet_.directory() + "/broker/registry.db";
  }

  // Of the registry and of what is beside it.
  void Remove() {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      unlink((Registry() + suffix).c_str());
    }
  }

  std::string BackUp(const std::string& name) {
    const std::string target = absl::StrCat(fleet_.directory(), "/", name);
    auto done = Process::Run(
        {.argv = {std::filesystem::absolute(getenv("BERTH_BROKER")), "backup",
                  fleet_.directory() + "/broker", target}});
    EXPECT_TRUE(done.ok() && done->exit_code == 0)
        << (done.ok() ? done->err : done.status().ToString());
    return target;
  }

  // Puts the registry of an older copy in the place of the broker's.
  void Restore(const std::string& copy) {
    Remove();
    std::filesystem::copy_file(copy + "/registry.db", Registry());
  }

  void WaitOnline(const std::string& computer) {
    fleet_.WaitFor({"computers", computer, "-o", "json"},
                   "COMPUTER_STATE_ONLINE", absl::Seconds(60));
  }

  std::string Status() { return fleet_.Run({"admin", "status"}); }
  std::string Log() const {
    return ReadTextFile(fleet_.directory() + "/broker.log");
  }

  // What the token's fate is: the message of an agent that joins with it.
  std::string Join(const std::string& token, const std::string& name) {
    auto join = Process::Run(
        {.argv = {std::filesystem::absolute(getenv("BERTH_AGENT")), "join",
                  "--broker", absl::StrCat("localhost:", fleet_.port()),
                  "--token", token, "--ca",
                  fleet_.directory() + "/broker/ca.pem", "--name", name,
                  "--state-dir", fleet_.AgentDirectory(name)}});
    EXPECT_TRUE(join.ok()) << join.status();
    return join.ok() ? join->out + join->err : "";
  }

  std::string NewToken() {
    return std::string(
        absl::StripAsciiWhitespace(fleet_.Run({"admin", "token", "create"})));
  }

  // The sessions that the computers have, and those that the broker lists.
  std::set<std::string> There() {
    std::set<std::string> there;
    for (const char* computer : {"Server01", "Server02"}) {
      std::error_code error;
      for (const auto& entry : std::filesystem::directory_iterator(
               fleet_.AgentDirectory(computer) + "/sessions", error)) {
        there.insert(entry.path().filename());
      }
    }
    return there;
  }

  std::set<std::string> Listed() {
    std::set<std::string> listed;
    for (const v1::Session& session : fleet_.Sessions({})) {
      listed.insert(session.instance_id());
    }
    return listed;
  }

  SmallDisk disk_;  // Outlives the fleet.
  Fleet fleet_{{"Server01", "Server02"}};
};

// A keeper that had found the broker gone waits before it tries again to be
// present. A session made meanwhile was nobody's.
TEST_F(BrokerLossTest, SessionMadeRightAfterARestartIsHeld) {
  fleet_.Run({"ls"});
  for (int round = 0; round < 3; ++round) {
    fleet_.KillBroker(SIGTERM);
    EXPECT_NE(fleet_.Berth({"ls"}).exit_code, 0);
    fleet_.StartBroker();
    WaitOnline("Server01");
    const std::string name = absl::StrCat("held", round);
    fleet_.Run({"new", "-c", "Server01", "--name", name});
    EXPECT_EQ(fleet_.Session(name).state(), v1::SESSION_STATE_OPENED);
  }
}

TEST_F(BrokerLossTest, DeletedRegistryIsLearnedAgainAndSaidToBeLost) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"new", "-c", "Server02"});
  fleet_.Run({"run", "-s", "1", "--", "v=kept; echo out"});
  // One that ended: its history is its computer's, too.
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Berth({"run", "-s", "3", "--exit-ends-session", "--", "exit 4"});
  fleet_.WaitForState("3", v1::SESSION_STATE_CLOSED);
  const std::string token = NewToken();
  EXPECT_THAT(Status(), Not(HasSubstr("registry at")));
  fleet_.KillAgent("Server02", SIGTERM);
  fleet_.KillBroker(SIGKILL);
  Remove();
  fleet_.StartBroker();
  WaitOnline("Server01");
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}), "kept\n");
  EXPECT_EQ(fleet_.Session("3").end().exit_status().code(), 4);
  // The other's sessions are not known until it comes back.
  EXPECT_EQ(fleet_.Sessions({}).size(), 2u);
  EXPECT_THAT(Status(), HasSubstr("there was no registry at"));
  EXPECT_THAT(Status(), HasSubstr("the labels of computers"));
  EXPECT_THAT(Log(), HasSubstr("there was no registry at"));
  fleet_.StartAgent("Server02");
  WaitOnline("Server02");
  EXPECT_EQ(fleet_.Sessions({}).size(), 3u);
  // A token of before is no good, whether it was used or not.
  EXPECT_THAT(Join(token, "Server03"), HasSubstr("not known to this broker"));
  // It is still said after the next restart.
  fleet_.KillBroker(SIGTERM);
  fleet_.StartBroker();
  EXPECT_THAT(Status(), HasSubstr("there was no registry at"));
  WaitOnline("Server01");
  WaitOnline("Server02");
}

TEST_F(BrokerLossTest, DamagedRegistryIsMovedAwayAndSaidToBeLost) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--", "v=kept"});
  fleet_.KillBroker(SIGTERM);
  std::string bytes = ReadTextFile(Registry());
  std::mt19937 random(1);
  for (size_t i = 4096; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(random());
  }
  WriteTextFile(Registry(), bytes);
  fleet_.StartBroker();
  WaitOnline("Server01");
  WaitOnline("Server02");
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}), "kept\n");
  EXPECT_THAT(Status(), HasSubstr("the registry was damaged"));
  EXPECT_THAT(Status(), HasSubstr("registry.db.damaged-"));
  EXPECT_THAT(Status(), HasSubstr("2 online, 0 not heard of"));
  fleet_.Run({"new", "-c", "Server02"});
  EXPECT_EQ(fleet_.Session("2").name(), "Session2");
}

TEST_F(BrokerLossTest, OlderCopyIsBroughtUpToDateAndSaidToBeOld) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--", "v=one"});
  const std::string before = NewToken();
  const std::string copy = BackUp("copy");
  // What happens after the copy was made: a session ends, one is made, a
  // computer joins, tokens are made and used.
  fleet_.Run({"rm", "1"});
  fleet_.Run({"new", "-c", "Server02"});
  fleet_.Run({"run", "-s", "2", "--", "v=two"});
  EXPECT_THAT(Join(before, "Server03"), HasSubstr("joined as"));
  fleet_.StartAgent("Server03");
  WaitOnline("Server03");
  fleet_.Run({"new", "-c", "Server03"});
  const std::string after = NewToken();
  // As if that had been a while ago.
  fleet_.KillAgent("Server02", SIGTERM);
  const std::string record =
      absl::StrCat(fleet_.AgentDirectory("Server02"), "/sessions/",
                   fleet_.Session("2").instance_id(), "/record");
  std::string text = ReadTextFile(record);
  const size_t at = text.find("created_at {\n  seconds: ");
  ASSERT_NE(at, std::string::npos) << text;
  text[at + sizeof("created_at {\n  seconds: ") - 1] = '1';
  text[at + sizeof("created_at {\n  seconds: ")] = '0';
  WriteTextFile(record, text);
  fleet_.StartAgent("Server02");
  fleet_.KillBroker(SIGKILL);
  Restore(copy);
  fleet_.StartBroker();
  for (const char* computer : {"Server01", "Server02", "Server03"}) {
    WaitOnline(computer);  // Enrolled since, and let in by its certificate.
  }
  EXPECT_EQ(fleet_.Sessions({}).size(), 2u);
  EXPECT_EQ(fleet_.Run({"run", "-s", "2", "--", "echo $v"}), "two\n");
  EXPECT_THAT(Status(),
              HasSubstr("the registry is older than what agents tell of"));
  EXPECT_THAT(Log(), HasSubstr("has no more 1 sessions"));
  // No token of before is good for anything: the copy can't know which of them
  // were used.
  EXPECT_THAT(Join(before, "Server04"), HasSubstr("not known to this broker"));
  EXPECT_THAT(Join(after, "Server04"), HasSubstr("not known to this broker"));
  EXPECT_THAT(Join(NewToken(), "Server04"), HasSubstr("joined as"));
  // New ids begin after those that agents know.
  fleet_.Run({"new", "-c", "Server01"});
  EXPECT_EQ(fleet_.Session("4").computer(), "Server01");
}

// A broker whose directory is on a disk of its own, of which all is used.
class FullDiskTest : public BrokerLossTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount a small disk";
    fleet_.KillBroker(SIGTERM);
    const std::string directory = fleet_.directory() + "/broker";
    const std::string copy = fleet_.directory() + "/was";
    std::filesystem::rename(directory, copy);
    mkdir(directory.c_str(), 0700);
    if (mount("berth-test", directory.c_str(), "tmpfs", 0,
              "size=2m,mode=0700") != 0) {
      std::filesystem::remove(directory);
      std::filesystem::rename(copy, directory);
      fleet_.StartBroker();
      GTEST_SKIP() << "can't mount a tmpfs here";
    }
    disk_.path = directory;
    std::filesystem::copy(copy, directory);
    fleet_.StartBroker();
    WaitOnline("Server01");
    WaitOnline("Server02");
  }

  void TearDown() override { Free(); }

  void Fill() {
    const std::string path = disk_.path + "/filler";
    FILE* file = fopen(path.c_str(), "a");
    ASSERT_NE(file, nullptr);
    setvbuf(file, nullptr, _IONBF, 0);
    const std::string block(1024, 'x');
    while (fwrite(block.data(), 1, block.size(), file) == block.size()) {
    }
    fclose(file);
  }

  void Free() { unlink((disk_.path + "/filler").c_str()); }
};

TEST_F(FullDiskTest, ReadsGoOnAndNewSessionsAreRefusedWithTheReason) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"run", "-s", "1", "--", "v=kept"});
  Fill();
  // What was under way when the disk filled up may still be made: what it
  // writes fills the last page.
  Process::Finished refused;
  for (int i = 0; i < 200; ++i) {
    refused = fleet_.Berth({"new", "-c", "Server02"});
    if (refused.exit_code != 0) break;
  }
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("the broker can't keep new sessions"));
  EXPECT_THAT(refused.err, HasSubstr("free some space"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}), "kept\n");
  EXPECT_FALSE(fleet_.Sessions({"1"}).empty());
  EXPECT_THAT(Status(), HasSubstr("can't be written, so no sessions are made"));
  EXPECT_THAT(Log(), HasSubstr("the registry can't be written"));
  // A broker that is killed on a full disk, and one that was stopped, start.
  for (const int signal : {SIGKILL, SIGTERM}) {
    fleet_.KillBroker(signal);
    if (signal == SIGTERM) Fill();  // With what that has freed.
    fleet_.StartBroker();
    WaitOnline("Server01");
    EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo $v"}), "kept\n");
    EXPECT_FALSE(fleet_.Sessions({"1"}).empty());
  }
  Free();
  // It finds out by itself.
  fleet_.WaitFor({"admin", "status"}, "can be written\n", absl::Seconds(30));
  fleet_.Run({"new", "-c", "Server02"});
}

TEST_F(BrokerLossTest, KilledAtAnyMomentItForgetsNothing) {
  const char* seed_text = getenv("BERTH_SUITE_SEED");
  unsigned seed = std::random_device()();
  if (seed_text != nullptr) {
    EXPECT_TRUE(absl::SimpleAtoi(seed_text, &seed));
  }
  SCOPED_TRACE(absl::StrCat("BERTH_SUITE_SEED=", seed));
  std::mt19937 random(seed);
  const int rounds = getenv("BERTH_LONG") != nullptr ? 60 : 8;
  for (int round = 0; round < rounds; ++round) {
    // Sessions are made, used and removed while it dies.
    std::vector<Process> clients;
    for (int i = 0; i < 4; ++i) {
      const std::string computer = absl::StrCat("Server0", 1 + i % 2);
      clients.push_back(fleet_.Start({"new", "-c", computer, "--no-keeper"}));
    }
    if (round % 2 == 1) {
      for (const v1::Session& session : fleet_.Sessions({"--no-keeper"})) {
        clients.push_back(
            fleet_.Start({"rm", session.instance_id(), "--no-keeper"}));
      }
    }
    // The moment itself is what varies.
    absl::SleepFor(absl::Microseconds(random() % 80'000));
    fleet_.KillBroker(SIGKILL);
    fleet_.StartBroker();
    for (Process& client : clients) {
      ASSERT_TRUE(client.Wait(absl::Minutes(1)).ok());
    }
    WaitOnline("Server01");
    WaitOnline("Server02");
    // The broker lists what the computers have, once they are done with what
    // was under way.
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (Listed() != There() && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(20));  // Between two looks, no more.
    }
    EXPECT_EQ(Listed(), There()) << "round " << round;
    std::set<uint32_t> ids;
    for (const v1::Session& session : fleet_.Sessions({})) {
      EXPECT_TRUE(ids.insert(session.id()).second)
          << "two sessions of id " << session.id();
      EXPECT_NE(session.state(), v1::SESSION_STATE_BROKEN);
    }
  }
  EXPECT_THAT(Status(), Not(HasSubstr("damaged")));
}

}  // namespace
}  // namespace berth::testing
