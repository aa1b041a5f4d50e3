#include "cli/run/exit_status.h"

#include "gtest/gtest.h"

namespace berth::cli {
namespace {

v1::CommandEnded Ended(v1::CommandEnded::How how, int code) {
  v1::CommandEnded ended;
  ended.set_how(how);
  ended.set_exit_code(code);
  return ended;
}

TEST(ExitStatusTest, IsTheCommandsOwn) {
  EXPECT_EQ(ExitStatusOf(Ended(v1::CommandEnded::COMPLETED, 3)), 3);
  EXPECT_EQ(ExitStatusOf(Ended(v1::CommandEnded::EXITED, 255)), 255);
  EXPECT_EQ(ExitStatusOf(Ended(v1::CommandEnded::INTERRUPTED, 130)), 130);
  EXPECT_EQ(DescribeEnd(Ended(v1::CommandEnded::COMPLETED, 3)), "");
}

TEST(ExitStatusTest, NeverTakesTheUnknownForSuccess) {
  EXPECT_EQ(ExitStatusOf(Ended(v1::CommandEnded::UNKNOWN, 0)), 125);
  EXPECT_EQ(ExitStatusOf(Ended(v1::CommandEnded::NOT_STARTED, 0)), 125);
  EXPECT_EQ(ExitStatusOf(v1::CommandEnded()), 125);
  EXPECT_EQ(DescribeEnd(Ended(v1::CommandEnded::UNKNOWN, 0)),
            "the command's end was not seen");
}

TEST(ExitStatusTest, ATimeoutHasItsOwn) {
  v1::CommandEnded ended = Ended(v1::CommandEnded::TIMED_OUT, 130);
  ended.set_detail("after 5s");
  EXPECT_EQ(ExitStatusOf(ended), 124);
  EXPECT_EQ(DescribeEnd(ended),
            "its timeout passed, and it was interrupted: after 5s");
}

}  // namespace
}  // namespace berth::cli
