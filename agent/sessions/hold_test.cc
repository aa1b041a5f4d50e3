#include "agent/sessions/hold.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

v1::Client Client(const std::string& id) {
  v1::Client client;
  client.set_id(id);
  client.set_name(id + "@laptop");
  return client;
}

link::v1::SetHolderRequest Take(const std::string& id, bool take) {
  link::v1::SetHolderRequest request;
  *request.mutable_holder() = Client(id);
  request.set_take(take);
  return request;
}

link::v1::SetHolderRequest LetGo(const std::string& expected) {
  link::v1::SetHolderRequest request;
  request.set_expected_client_id(expected);
  return request;
}

class HoldTest : public testing::Test {
 protected:
  std::string holder() const {
    return hold_.held() ? hold_.holder().client().id() : "";
  }
  const absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  Hold hold_{"ann", "7"};
};

TEST_F(HoldTest, AFreeSessionIsTakenAndLetGo) {
  EXPECT_FALSE(hold_.held());
  EXPECT_TRUE(hold_.Set(Take("ann", false), now_).ok());
  EXPECT_EQ(holder(), "ann");
  EXPECT_TRUE(hold_.lasting());
  EXPECT_TRUE(hold_.Set(LetGo("ann"), now_).ok());
  EXPECT_FALSE(hold_.held());
  EXPECT_TRUE(hold_.Set(LetGo("ann"), now_).ok()) << "harmless";
}

TEST_F(HoldTest, AnotherClientIsRefusedAndToldWhoAndHow) {
  ASSERT_TRUE(hold_.Set(Take("ann", false), now_).ok());
  const absl::Status status = hold_.Set(Take("bob", false), now_);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ann@laptop"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("2023-11-14 22:13:20"));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("berth connect 7 --take"));
  EXPECT_EQ(holder(), "ann");
}

// They could not tell whose it is, and the hint named a session of their own.
TEST_F(HoldTest, SomebodyElseIsToldWhoseItIsAndACommandThatTakesIt) {
  ASSERT_TRUE(hold_.Set(Take("laptop", false), now_).ok());
  EXPECT_THAT(
      std::string(hold_.Set(Take("eve/desk", false), now_).message()),
      AllOf(HasSubstr("session ann/7 is held by ann (laptop@laptop) since"),
            HasSubstr("berth connect ann/7 --take")));
  ASSERT_TRUE(hold_.Set(Take("eve/desk", true), now_).ok());
  EXPECT_THAT(std::string(hold_.Set(Take("laptop", false), now_).message()),
              AllOf(HasSubstr("session 7 is held by eve ("),
                    HasSubstr("berth connect 7 --take")));
}

TEST_F(HoldTest, TakeOverrides) {
  ASSERT_TRUE(hold_.Set(Take("ann", false), now_).ok());
  EXPECT_TRUE(hold_.Set(Take("bob", true), now_).ok());
  EXPECT_EQ(holder(), "bob");
}

TEST_F(HoldTest, OnlyTheExpectedClientIsLetGo) {
  ASSERT_TRUE(hold_.Set(Take("ann", false), now_).ok());
  EXPECT_EQ(hold_.Set(LetGo("bob"), now_).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(hold_.Set(LetGo(""), now_).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(holder(), "ann");
}

TEST_F(HoldTest, ACallHoldsWhileItIsOpen) {
  const auto first = hold_.Enter(Client("ann"), now_);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(holder(), "ann");
  EXPECT_FALSE(hold_.lasting());
  EXPECT_EQ(hold_.Enter(Client("bob"), now_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const auto second = hold_.Enter(Client("ann"), now_);
  ASSERT_TRUE(second.ok());
  hold_.Leave(*first);
  EXPECT_EQ(holder(), "ann") << "another call is open";
  hold_.Leave(*second);
  EXPECT_FALSE(hold_.held());
}

TEST_F(HoldTest, ConnectingDuringACallLasts) {
  const auto call = hold_.Enter(Client("ann"), now_);
  ASSERT_TRUE(call.ok());
  ASSERT_TRUE(hold_.Set(Take("ann", false), now_).ok());
  hold_.Leave(*call);
  EXPECT_EQ(holder(), "ann");
}

TEST_F(HoldTest, ACallThatLostTheSessionLeavesTheNewHolderAlone) {
  const auto call = hold_.Enter(Client("ann"), now_);
  ASSERT_TRUE(call.ok());
  ASSERT_TRUE(hold_.Set(Take("bob", true), now_).ok());
  hold_.Leave(*call);
  EXPECT_EQ(holder(), "bob");
}

TEST_F(HoldTest, IsRestored) {
  v1::SessionHolder before;
  *before.mutable_client() = Client("ann");
  hold_.Restore(before);
  EXPECT_TRUE(hold_.lasting());
  EXPECT_EQ(holder(), "ann");
}

// A call that was open when its client let go ended after a new one had begun,
// and took the session away from that.
TEST_F(HoldTest, AnOldCallDoesNotEndWhatANewOneHolds) {
  const auto old = hold_.Enter(Client("ann"), now_);
  ASSERT_TRUE(old.ok());
  ASSERT_TRUE(hold_.Set(LetGo("ann"), now_).ok());
  EXPECT_FALSE(hold_.held());
  const auto call = hold_.Enter(Client("ann"), now_);
  ASSERT_TRUE(call.ok());
  hold_.Leave(*old);
  EXPECT_TRUE(hold_.held()) << "one of its calls is open";
  hold_.Leave(*call);
  EXPECT_FALSE(hold_.held());
}

// A new call ended before one that was open when its client had let go, and was
// taken for that: the session was held by a client that had left it.
TEST_F(HoldTest, ANewCallThatEndsFirstIsNotTakenForTheOldOne) {
  const auto old = hold_.Enter(Client("ann"), now_);
  ASSERT_TRUE(old.ok());
  ASSERT_TRUE(hold_.Set(LetGo("ann"), now_).ok());
  const auto call = hold_.Enter(Client("ann"), now_);
  ASSERT_TRUE(call.ok());
  hold_.Leave(*call);
  EXPECT_FALSE(hold_.held());
  hold_.Leave(*old);
  EXPECT_FALSE(hold_.held());
}

}  // namespace
}  // namespace berth::agent
