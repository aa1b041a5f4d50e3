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

TEST(ForeignClientTest, SessionsAreNamedSoThatTheAskersCommandsFindThem) {
  EXPECT_EQ(SessionFor("alice", "3", "4c2d"), "3");
  EXPECT_EQ(SessionFor("alice", "3", "bob/4c2d"), "alice/3");
  EXPECT_EQ(SessionFor("alice", "3", ""), "3");
}

TEST(ForeignClientTest, ClientsAreDescribedWithTheirUser) {
  EXPECT_EQ(DescribeClient("alice", "4c2d", "alice@laptop"), "alice@laptop");
  EXPECT_EQ(DescribeClient("alice", "4c2d", "spare"), "alice (spare)");
  EXPECT_EQ(DescribeClient("alice", "4c2d", "alice2@x"), "alice (alice2@x)");
  EXPECT_EQ(DescribeClient("alice", "4c2d", ""), "another client of alice");
  EXPECT_EQ(DescribeClient("alice", "bob/4c", "bob (bob@desk)"),
            "bob (bob@desk)");
  EXPECT_EQ(DescribeClient("", "4c2d", ""), "another client");
}

}  // namespace
}  // namespace berth
