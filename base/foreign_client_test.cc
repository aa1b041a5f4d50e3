#include "base/foreign_client.h"

#include <gtest/gtest.h>

namespace berth {
namespace {

using Who = std::pair<std::string, std::string>;

TEST(ForeignClientTest, SaysWhoseClientHoldsASession) {
  EXPECT_EQ(UserAndClient("alice", "1-2"), Who("alice", "1-2"));
  EXPECT_EQ(UserAndClient("alice", ForeignClientId("bob", "1-2")),
            Who("bob", "1-2"));
}

TEST(ForeignClientTest, NobodyIsTakenForAClientOfTheOwner) {
  // Clients see each other's ids in lists.
  EXPECT_NE(ForeignClientId("bob", "1-2"), "1-2");
  EXPECT_EQ(ForeignClientName("bob", "alice@laptop"), "bob (alice@laptop)");
  EXPECT_EQ(ForeignClientName("bob", ""), "bob");
}

}  // namespace
}  // namespace berth
