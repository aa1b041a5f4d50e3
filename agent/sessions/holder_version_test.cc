#include "agent/sessions/holder_version.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::HasSubstr;

TEST(HolderVersionTest, NeighboursCanBeSpokenTo) {
  for (const uint32_t version :
       {kHolderVersion - 1, kHolderVersion, kHolderVersion + 1}) {
    EXPECT_TRUE(CheckHolderVersion(version).ok()) << version;
  }
}

TEST(HolderVersionTest, OthersAreRefusedWithTheWayOut) {
  const absl::Status newer = CheckHolderVersion(kHolderVersion + 2);
  EXPECT_EQ(newer.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(newer.message(), HasSubstr("a newer berth-agent can use it"));
  EXPECT_THAT(newer.message(), HasSubstr("the session lives on"));
  const absl::Status older = CheckHolderVersion(0);
  EXPECT_EQ(older.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(older.message(), HasSubstr("an older berth-agent can use it"));
}

}  // namespace
}  // namespace berth::agent
