// A computer that has run out of something: disk, descriptors, terminals; or
// whose clock jumps.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/monotonic.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bounds/bounds_fixture.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

// Mounts of this test's own, gone with it. Empty, or why there can be none.
std::string OwnMounts() {
  if (geteuid() != 0) return "only root can mount";
  if (unshare(CLONE_NEWNS) != 0 ||
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return absl::StrCat("no mounts of its own: ", strerror(errno));
  }
  return "";
}

// ---- Disk ----

class DiskTest : public BoundsTest {
 protected:
  // Puts the agent's state on a disk of 8 MiB.
  void SetUp() override {
    if (std::string why = OwnMounts(); !why.empty()) GTEST_SKIP() << why;
    fleet_.Run({"rm", "1"});
    fleet_.Run({"rm", "2"});
    fleet_.KillAgent("Server01", SIGTERM);
    state_ = fleet_.AgentDirectory("Server01");
    const std::string line =
        absl::StrCat("cp -a ", state_, " ", state_,
                     ".was && mount -t tmpfs -o size=8m,mode="
                     "0700 none ",
                     state_, " && cp -a ", state_, ".was/. ", state_,
                     " && rm -rf ", state_, "/sessions/*");
    auto moved = Process::Run({.argv = {"/bin/sh", "-c", line}});
    ASSERT_TRUE(moved.ok() && moved->exit_code == 0) << moved->err;
    mounted_ = true;
    fleet_.StartAgent("Server01");
    fleet_.WaitFor({"computers", "Server01", "-o", "json"},
                   "COMPUTER_STATE_ONLINE");
    // The others', too, are on that disk.
    fleet_.Run({"new", "-c", "Server01"});
    first_ = absl::StrCat(fleet_.Sessions({})[0].id());
    fleet_.Run({"disconnect", first_});
    fleet_.Run({"new", "-c", "Server01"}, "", "other");
    second_ = absl::StrCat(fleet_.Sessions({})[1].id());
  }

  void TearDown() override {
    if (!mounted_) return;
    for (const auto& session : fleet_.Sessions({})) {
      fleet_.Run({"rm", absl::StrCat(session.id())});
    }
    fleet_.KillAgent("Server01", SIGTERM);
    EXPECT_EQ(umount2(state_.c_str(), MNT_DETACH), 0);
  }

  uint64_t FreeBytes() {
    struct statvfs info;
    return statvfs(state_.c_str(), &info) == 0 ? info.f_bavail * info.f_bsize
                                               : 0;
  }

  // Leaves nothing of the disk.
  void Fill() {
    auto filled = Process::Run(
        {.argv = {"/bin/sh", "-c",
                  absl::StrCat("head -c 16M /dev/zero >", state_, "/filler")}});
    ASSERT_TRUE(filled.ok());
    ASSERT_EQ(FreeBytes(), 0u);
  }
  void MakeRoom() { unlink((state_ + "/filler").c_str()); }

  bool mounted_ = false;
  std::string state_;
  std::string first_;
  std::string second_;
};

TEST_F(DiskTest, CommandWaitsForRoomAndLosesNothing) {
  const std::string id(absl::StripAsciiWhitespace(fleet_.Run(
      {"run", "--detach", "-s", first_, "--", "seq 1 3000000; echo end >&2"})));
  WaitUntil([&] { return FreeBytes() < 64 << 10; }, "a full disk");
  // Others can't begin anything, and are told why; what runs, lives.
  auto refused = fleet_.Berth({"new", "-c", "Server01"}, "", "other");
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("No space left on device"), HasSubstr(state_)));
  EXPECT_EQ(fleet_.Session(first_).availability(),
            v1::SESSION_AVAILABILITY_BUSY);
  const std::string all =
      fleet_.Run({"receive", first_, "--command", id, "--from-start"});
  auto expected = Process::Run({.argv = {"/bin/sh", "-c", "seq 1 3000000"}});
  EXPECT_TRUE(all == expected->out) << all.size();
  EXPECT_EQ(fleet_.Run({"run", "-s", first_, "--", "echo on"}), "on\n");
  EXPECT_EQ(fleet_.Run({"run", "-s", second_, "--", "echo on"}, "", "other"),
            "on\n");
}

TEST_F(DiskTest, DiskFilledByOthersIsNamedAndEverythingGoesOnWithRoom) {
  const std::string fifo = fleet_.directory() + "/go";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Process run = fleet_.Start(
      {"run", "-s", first_, "--",
       absl::StrCat("echo begun; read -r x <", fifo, "; seq 1 500000")});
  ASSERT_EQ(run.ReadExactly(6).value(), "begun\n");
  Fill();
  ASSERT_TRUE(
      Process::Run({.argv = {"/bin/sh", "-c", "echo go >" + fifo}}).ok());
  const std::string errors = fleet_.directory() + "/berth.err";
  WaitUntil([&] { return !ReadTextFile(errors).empty(); }, "a word of it");
  EXPECT_THAT(ReadTextFile(errors),
              AllOf(HasSubstr("No space left on device"),
                    HasSubstr("write a log in"), HasSubstr(state_)));
  // A command whose end could not be told is not begun.
  auto refused =
      fleet_.Berth({"run", "-s", second_, "--", "echo on"}, "", "other");
  EXPECT_THAT(refused.err, AnyOf(AllOf(HasSubstr("No space left on device"),
                                       HasSubstr("journal")),
                                 HasSubstr("No space left on device")));
  MakeRoom();
  const std::string all = run.ReadToEnd(absl::Seconds(30)).value();
  EXPECT_TRUE(absl::StrContains(all, "\n500000\n")) << all.size();
  EXPECT_EQ(run.Wait().value(), 0);
  EXPECT_EQ(fleet_.Run({"run", "-s", second_, "--", "echo on"}, "", "other"),
            "on\n");
}

TEST_F(DiskTest, EndOfACommandIsKnownThoughTheDiskWasFull) {
  const std::string fifo = fleet_.directory() + "/go";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::string id(absl::StripAsciiWhitespace(
      fleet_.Run({"run", "--detach", "-s", first_, "--",
                  absl::StrCat("read -r x <", fifo, "; (exit 7)")})));
  Fill();
  ASSERT_TRUE(
      Process::Run({.argv = {"/bin/sh", "-c", "echo go >" + fifo}}).ok());
  fleet_.WaitFor({"ls", first_, "-o", "jsonl"}, "IDLE");
  // Its journal tells after its holder is gone.
  kill(fleet_.HolderPid(first_), SIGKILL);
  fleet_.WaitForState(first_, v1::SESSION_STATE_CLOSED);
  auto told = fleet_.Berth({"receive", first_, "--command", id});
  EXPECT_THAT(told.err, HasSubstr("status 7")) << told.err;
  MakeRoom();
}

TEST_F(DiskTest, DropMakesRoomByLosingTheOldest) {
  fleet_.Run(
      {"new", "-c", "Server01", "--name", "dropper", "--buffering", "drop"});
  const std::string id(absl::StripAsciiWhitespace(
      fleet_.Run({"run", "--detach", "-s", "dropper", "--", "seq 1 3000000"})));
  fleet_.WaitFor({"ls", "dropper", "-o", "jsonl"}, "IDLE", absl::Seconds(60));
  auto got =
      fleet_.Berth({"receive", "dropper", "--command", id, "--from-start"});
  EXPECT_THAT(got.err, HasSubstr("bytes of output are missing"));
  EXPECT_TRUE(absl::EndsWith(got.out, "\n3000000\n")) << got.out.size();
}

// ---- Descriptors ----

class DescriptorsTest : public BoundsTest {
 protected:
  // From now on `pid` may have so few open files as it has, and `more`.
  void Limit(pid_t pid, size_t more) {
    rlimit limit = {};
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &was_), 0);
    limit = was_;
    limit.rlim_cur = OpenFiles(pid) + more;
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
  }
  void Restore(pid_t pid) {
    ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &was_, nullptr), 0);
  }

  rlimit was_ = {};
};

TEST_F(DescriptorsTest, AgentWithoutDescriptorsRefusesByNameAndLives) {
  const pid_t agent = fleet_.AgentPid("Server01");
  Process run = fleet_.Start(
      {"run", "-s", "1", "--", "echo on; read -r x </dev/tty; echo off"});
  ASSERT_EQ(run.ReadExactly(3).value(), "on\n");
  Limit(agent, 0);
  auto refused = fleet_.Berth({"new", "-c", "Server01"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("Too many open files"));
  auto busy = fleet_.Berth({"run", "-s", "2", "--", "true"}, "", "other");
  EXPECT_THAT(busy.err, HasSubstr("Too many open files"));
  const double before = CpuSeconds(agent);
  const absl::Time begin = MonotonicNow();
  absl::SleepFor(absl::Seconds(1));  // What is measured is this time.
  const double share = (CpuSeconds(agent) - before) /
                       absl::ToDoubleSeconds(MonotonicNow() - begin);
  std::printf("an agent without descriptors uses %.1f %% of a core\n",
              share * 100);
  EXPECT_LT(share, 0.2);
  Restore(agent);
  ExpectOthersUnhurt();
  EXPECT_EQ(fleet_.Session("1").availability(), v1::SESSION_AVAILABILITY_BUSY);
  fleet_.Run({"new", "-c", "Server01"});
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130);
}

TEST_F(DescriptorsTest, BrokerWithoutDescriptorsKeepsThoseItHasAndDoesNotSpin) {
  const pid_t broker = fleet_.BrokerPid();
  ExpectOthersUnhurt();  // Its keeper is connected now.
  Limit(broker, 0);
  // Somebody new can't be let in, and is told something within its patience.
  Process::Options options = fleet_.Command({"--no-keeper", "ls"}, "new");
  options.stderr_path = fleet_.directory() + "/new.err";
  auto newcomer = Process::Start(options);
  ASSERT_TRUE(newcomer.ok());
  ExpectOthersUnhurt();
  const double before = CpuSeconds(broker);
  const absl::Time begin = MonotonicNow();
  absl::SleepFor(absl::Seconds(2));  // What is measured is this time.
  const double share = (CpuSeconds(broker) - before) /
                       absl::ToDoubleSeconds(MonotonicNow() - begin);
  std::printf("a broker without descriptors uses %.1f %% of a core\n",
              share * 100);
  EXPECT_LT(share, 0.2);
  ExpectOthersUnhurt();
  Restore(broker);
  EXPECT_EQ(fleet_.Berth({"--no-keeper", "ls"}, "", "later").exit_code, 0);
  ExpectOthersUnhurt();
}

// ---- Terminals ----

TEST(TerminalsTest, SessionWithoutATerminalLeftIsRefusedByName) {
  if (std::string why = OwnMounts(); !why.empty()) GTEST_SKIP() << why;
  if (mount("devpts", "/dev/pts", "devpts", 0,
            "newinstance,ptmxmode=0666,max=2") != 0 ||
      mount("/dev/pts/ptmx", "/dev/ptmx", nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "no /dev/pts of its own: " << strerror(errno);
  }
  Fleet fleet({"Server01"});
  fleet.Run({"new", "-c", "Server01"});
  fleet.Run({"new", "-c", "Server01"});
  auto refused = fleet.Berth({"new", "-c", "Server01"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("no terminal left"),
                                 HasSubstr("kernel.pty.max")));
  EXPECT_EQ(fleet.Run({"run", "-s", "1", "--", "echo unhurt"}), "unhurt\n");
  fleet.Run({"rm", "2"});
  fleet.Run({"new", "-c", "Server01"});
  EXPECT_EQ(fleet.Sessions({}).size(), 2u);
}

}  // namespace
}  // namespace berth::testing
