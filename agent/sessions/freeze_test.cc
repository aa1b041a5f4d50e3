#include "agent/sessions/freeze.h"

#include <sys/stat.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/temp_dir.h"

namespace berth::agent {
namespace {

TEST(FreezeTest, HoldsWithItsReasonUntilItIsTakenBack) {
  const testing::TempDir dir;
  EXPECT_EQ(FrozenReason(dir.path()), "");
  ASSERT_TRUE(Freeze(dir.path(), "disk is replaced").ok());
  EXPECT_EQ(FrozenReason(dir.path()), "disk is replaced");
  ASSERT_TRUE(Freeze(dir.path(), "").ok());
  EXPECT_EQ(FrozenReason(dir.path()), "by its administrator");
  ASSERT_TRUE(Unfreeze(dir.path()).ok());
  EXPECT_EQ(FrozenReason(dir.path()), "");
  EXPECT_TRUE(Unfreeze(dir.path()).ok()) << "again";
}

TEST(FreezeTest, TakesOneLineOnly) {
  const testing::TempDir dir;
  EXPECT_TRUE(absl::IsInvalidArgument(Freeze(dir.path(), "a\nb")));
  EXPECT_TRUE(
      absl::IsInvalidArgument(Freeze(dir.path(), std::string(201, 'x'))));
  EXPECT_EQ(FrozenReason(dir.path()), "");
}

// Whoever can't know must not say that all is well.
TEST(FreezeTest, WhatCanNotBeReadFreezes) {
  const testing::TempDir dir;
  ASSERT_EQ(mkdir((dir.path() + "/frozen").c_str(), 0700), 0);
  EXPECT_THAT(FrozenReason(dir.path()), ::testing::HasSubstr("directory"));
}

}  // namespace
}  // namespace berth::agent
