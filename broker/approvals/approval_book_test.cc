#include "broker/approvals/approval_book.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::broker {
namespace {

using ::testing::HasSubstr;

constexpr char kPolicy[] =
    "[groups]\n"
    "leads = [\"lea\", \"leo\"]\n"
    "[roles.prod]\n"
    "users = [\"dan\", \"lea\"]\n"
    "verbs = [\"create\"]\n"
    "computers = [\"db*\"]\n"
    "approvals = 2\n"
    "approvers = [\"amy\"]\n"
    "approver_groups = [\"leads\"]\n"
    "approved_for = \"30m\"\n"
    "[roles.plain]\n"
    "users = [\"dan\"]\n"
    "verbs = [\"create\"]\n"
    "computers = [\"web*\"]\n";

class ApprovalBookTest : public ::testing::Test {
 protected:
  ApprovalBookTest() {
    auto policy = Policy::Parse(kPolicy, "p");
    EXPECT_TRUE(policy.ok()) << policy.status();
    current_ = {*policy, 7};
  }

  absl::StatusOr<v1::Approval> Ask(const std::string& user,
                                   const std::string& role = "prod",
                                   absl::Duration lifetime = {}) {
    v1::RequestApprovalRequest request;
    request.set_role(role);
    request.set_reason("ticket 42");
    if (lifetime != absl::ZeroDuration()) {
      *request.mutable_lifetime() = ToProto(lifetime);
    }
    return book_.Request(user, request, current_, now_);
  }
  absl::StatusOr<v1::Approval> Decide(const std::string& user,
                                      const std::string& id, bool approve) {
    v1::DecideApprovalRequest request;
    request.set_id(id);
    request.set_approve(approve);
    return book_.Decide(user, request, current_, now_);
  }
  absl::Status Withdraw(const std::string& user, const std::string& id,
                        bool admin = false) {
    v1::WithdrawApprovalRequest request;
    request.set_id(id);
    return book_.Withdraw(user, admin, request, current_, now_).status();
  }
  bool Granted(const std::string& user = "dan") {
    return book_.IsGranted(user, "prod", current_.version, now_);
  }
  // How many requests `user` sees.
  size_t Seen(const std::string& user, bool admin = false, bool all = false) {
    return book_.List(user, admin, all, current_, now_).size();
  }

  std::map<std::string, std::string> kept_;
  ApprovalBook book_{[this](const std::string& id, std::string bytes) {
    if (bytes.empty()) {
      kept_.erase(id);
    } else {
      kept_[id] = std::move(bytes);
    }
  }};
  ApprovalBook::Current current_;
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(ApprovalBookTest, GrantsAfterEnoughOthersForItsTime) {
  const auto asked = Ask("dan");
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_FALSE(Granted());
  ASSERT_TRUE(Decide("amy", asked->id(), true).ok());
  EXPECT_FALSE(Granted());
  // One who approves again is still one.
  EXPECT_EQ(Decide("amy", asked->id(), true).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Granted());
  now_ += absl::Minutes(5);
  const auto granted = Decide("leo", asked->id(), true);
  ASSERT_TRUE(granted.ok());
  EXPECT_EQ(granted->state(), v1::APPROVAL_STATE_GRANTED);
  EXPECT_TRUE(Granted());
  EXPECT_FALSE(Granted("lea"));
  EXPECT_EQ(book_.NextEnd(), now_ + absl::Minutes(30));
  now_ += absl::Minutes(30) - absl::Seconds(1);
  EXPECT_TRUE(Granted());
  now_ += absl::Seconds(1);
  EXPECT_FALSE(Granted());
  const auto ended = book_.Tidy(7, now_);
  ASSERT_EQ(ended.size(), 1);
  EXPECT_EQ(ended[0].state(), v1::APPROVAL_STATE_ENDED);
  EXPECT_TRUE(book_.Tidy(7, now_).empty());
}

TEST_F(ApprovalBookTest, NobodyApprovesTheirOwn) {
  // She is among the approvers.
  const auto asked = Ask("lea");
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(Decide("lea", asked->id(), true).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(Decide("amy", asked->id(), true).ok());
  EXPECT_FALSE(Granted("lea"));
}

TEST_F(ApprovalBookTest, OthersKnowNothingOfIt) {
  const auto asked = Ask("dan");
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(Decide("mallory", asked->id(), true).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Withdraw("mallory", asked->id()).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Seen("mallory"), 0);
  EXPECT_EQ(Seen("dan"), 1);
  EXPECT_EQ(Seen("amy"), 1);
  EXPECT_EQ(Seen("root", /*admin=*/true), 1);
  // An administrator sees it, but is no approver.
  EXPECT_FALSE(Decide("root", asked->id(), true).ok());
}

TEST_F(ApprovalBookTest, OneDenialIsEnough) {
  const auto asked = Ask("dan");
  ASSERT_TRUE(Decide("amy", asked->id(), true).ok());
  ASSERT_TRUE(Decide("leo", asked->id(), false).ok());
  EXPECT_EQ(Decide("lea", asked->id(), true).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Granted());
  EXPECT_EQ(Seen("dan"), 0);
  EXPECT_EQ(Seen("dan", false, /*all=*/true), 1);
  EXPECT_TRUE(Ask("dan").ok());  // And may ask again.
}

TEST_F(ApprovalBookTest, WhatCantBeAskedFor) {
  EXPECT_EQ(Ask("dan", "plain").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Ask("dan", "nosuch").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Ask("mallory").status().code(), absl::StatusCode::kNotFound);
  const auto longer = Ask("dan", "prod", absl::Hours(1)).status();
  EXPECT_EQ(longer.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(longer.message()), HasSubstr("at most 30m"));
  EXPECT_EQ(Ask("dan", "prod", -absl::Hours(1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(Ask("dan").ok());
  EXPECT_EQ(Ask("dan").status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(ApprovalBookTest, NobodyDecidesInTime) {
  const auto asked = Ask("dan");
  now_ += ApprovalBook::kOpenFor;
  EXPECT_FALSE(Decide("amy", asked->id(), true).ok());
  EXPECT_FALSE(Granted());
  EXPECT_TRUE(Ask("dan").ok());
}

TEST_F(ApprovalBookTest, ANewPolicyEndsAll) {
  const auto asked = Ask("dan");
  ASSERT_TRUE(Decide("amy", asked->id(), true).ok());
  ASSERT_TRUE(Decide("leo", asked->id(), true).ok());
  ASSERT_TRUE(Granted());
  ++current_.version;
  EXPECT_FALSE(Granted());
  EXPECT_EQ(book_.Tidy(current_.version, now_).size(), 1);
  --current_.version;
  EXPECT_FALSE(Granted());
}

TEST_F(ApprovalBookTest, WithdrawnIsOver) {
  const auto asked = Ask("dan");
  ASSERT_TRUE(Decide("amy", asked->id(), true).ok());
  ASSERT_TRUE(Decide("leo", asked->id(), true).ok());
  EXPECT_TRUE(Withdraw("root", asked->id(), /*admin=*/true).ok());
  EXPECT_FALSE(Granted());
  EXPECT_EQ(Withdraw("dan", asked->id()).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ApprovalBookTest, WhoWaitsIsToldOnce) {
  const auto asked = Ask("dan");
  std::vector<v1::ApprovalState> told;
  const auto done = [&](const v1::Approval& now) {
    told.push_back(now.state());
  };
  ASSERT_TRUE(book_.Wait("dan", false, asked->id(), current_, done).ok());
  const auto second = book_.Wait("amy", false, asked->id(), current_, done);
  ASSERT_TRUE(second.ok());
  book_.StopWaiting(*second);
  EXPECT_FALSE(book_.Wait("mallory", false, asked->id(), current_, done).ok());
  ASSERT_TRUE(Decide("amy", asked->id(), true).ok());
  EXPECT_TRUE(told.empty());
  ASSERT_TRUE(Decide("leo", asked->id(), true).ok());
  EXPECT_EQ(told, std::vector{v1::APPROVAL_STATE_GRANTED});
  // What is decided is told at once.
  ASSERT_TRUE(book_.Wait("dan", false, asked->id(), current_, done).ok());
  EXPECT_EQ(told.size(), 2);
}

TEST_F(ApprovalBookTest, IsKeptAndForgotten) {
  const auto asked = Ask("dan");
  ASSERT_TRUE(Decide("amy", asked->id(), true).ok());
  ASSERT_TRUE(Decide("leo", asked->id(), true).ok());
  ApprovalBook next([](const std::string&, std::string) {});
  for (const auto& [id, bytes] : kept_) {
    ASSERT_TRUE(next.Load(id, bytes).ok());
  }
  EXPECT_TRUE(next.IsGranted("dan", "prod", 7, now_));
  EXPECT_FALSE(next.Load("bad", "\xff\xff").ok());
  now_ += absl::Hours(1);
  book_.Tidy(7, now_);
  EXPECT_EQ(kept_.size(), 1);
  now_ += ApprovalBook::kMemory + absl::Seconds(1);
  book_.Tidy(7, now_);
  EXPECT_TRUE(kept_.empty());
}

}  // namespace
}  // namespace berth::broker
