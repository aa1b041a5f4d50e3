#include "agent/shell/processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

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
