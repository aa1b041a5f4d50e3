#include "agent/shell/processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace berth::shell {
namespace {

using testing::UnorderedElementsAre;

constexpr char kStat[] =
    "42 (a) b(c) S 7 41 40 34816 42 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 "
    "1000 200 18446744073709551615";

TEST(ParseProcessInfoTest, ReadsFieldsAfterAnOddName) {
  auto info = ParseProcessInfo(kStat);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->pid, 42);
  EXPECT_EQ(info->name, "a) b(c");
  EXPECT_EQ(info->state, 'S');
  EXPECT_EQ(info->parent, 7);
  EXPECT_EQ(info->group, 41);
  EXPECT_EQ(info->session, 40);
  EXPECT_EQ(info->start_ticks, 987654u);
}

TEST(ParseProcessInfoTest, RefusesWhatIsNoStat) {
  EXPECT_FALSE(ParseProcessInfo(""));
  EXPECT_FALSE(ParseProcessInfo(")("));
  EXPECT_FALSE(ParseProcessInfo("1 (x) S 2 3"));
  EXPECT_FALSE(ParseProcessInfo(std::string(kStat).replace(0, 2, "xx")));
}

TEST(GetProcessInfoTest, KnowsItself) {
  auto info = GetProcessInfo(getpid());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->parent, getppid());
  EXPECT_LE(info->start_ticks, NowTicks());
}

TEST(DescendantsOfTest, FindsThemThroughEveryThread) {
  // A child of a thread that is not the first, with a child of its own, and
  // one that has ended.
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  pid_t child = 0, ended = 0;
  std::thread([&] {
    child = fork();
    if (child == 0) {
      if (fork() == 0) pause();
      (void)!write(ready[1], "x", 1);
      pause();
      _exit(0);
    }
    ended = fork();
    if (ended == 0) _exit(0);
    char byte;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    siginfo_t info;
    EXPECT_EQ(waitid(P_PID, ended, &info, WEXITED | WNOWAIT), 0);
    const std::vector<pid_t> found = DescendantsOf(getpid());
    EXPECT_EQ(found.size(), 2u);
    EXPECT_EQ(std::count(found.begin(), found.end(), child), 1);
    EXPECT_EQ(DescendantsOf(child).size(), 1u);
    for (const pid_t pid : found) kill(pid, SIGKILL);
  }).join();
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(waitpid(ended, nullptr, 0), ended);
  close(ready[0]);
  close(ready[1]);
}

TEST(SessionMembersTest, FindsTheSessionAndDescendants) {
  auto process = [](pid_t pid, pid_t parent, pid_t session) {
    ProcessInfo info;
    info.pid = pid;
    info.parent = parent;
    info.session = session;
    return info;
  };
  std::vector<ProcessInfo> all = {
      process(12, 11, 99),  // Grandchild of the root in a session of its own.
      process(10, 1, 5),    // The root.
      process(11, 10, 10),  // Its child, the leader.
      process(13, 1, 10),   // An orphan of the session.
      process(14, 1, 1),    // A stranger.
  };
  EXPECT_THAT(SessionMembers(all, 10, 10), UnorderedElementsAre(11, 12, 13));
}

}  // namespace
}  // namespace berth::shell
