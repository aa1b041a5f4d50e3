#include "broker/users/user_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "base/proto_time.h"

namespace berth::broker {
namespace {

using ::testing::HasSubstr;

class UserTokensTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::UserToken> Add(absl::string_view digest, uint32_t uses,
                                    absl::Duration lifetime = absl::Hours(1)) {
    v1::CreateUserTokenRequest request;
    request.set_user("ci");
    request.set_max_uses(uses);
    *request.mutable_lifetime() = ToProto(lifetime);
    return tokens_.Add(digest, request, "ann", now_);
  }

  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  std::map<std::string, std::string> kept_;
  UserTokens tokens_{[this](const std::string& key, std::string bytes) {
    if (bytes.empty()) {
      kept_.erase(key);
    } else {
      kept_[key] = std::move(bytes);
    }
  }};
};

TEST_F(UserTokensTest, AreUsedAsOftenAsTheyMay) {
  ASSERT_TRUE(Add("one", 2).ok());
  ASSERT_TRUE(Add("any", 0).ok());
  EXPECT_EQ(tokens_.UserOf("one", now_).value_or(""), "ci");
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(tokens_.Use("one", "192.0.2.7", now_).ok());
  }
  const absl::Status spent = tokens_.Use("one", "192.0.2.8", now_);
  EXPECT_TRUE(absl::IsPermissionDenied(spent));
  EXPECT_THAT(std::string(spent.message()),
              HasSubstr("used 2 of 2 times, last from 192.0.2.7"));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(tokens_.Use("any", "", now_).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(tokens_.UserOf("other", now_).status()));
}

TEST_F(UserTokensTest, EndInTimeAndAreForgottenLater) {
  ASSERT_TRUE(Add("one", 0).ok());
  EXPECT_THAT(
      std::string(tokens_.Use("one", "", now_ + absl::Hours(1)).message()),
      HasSubstr("expired at"));
  EXPECT_EQ(tokens_.List().size(), 1u);
  v1::CreateUserTokenRequest request;
  request.set_user("ci");
  ASSERT_TRUE(
      tokens_.Add("two", request, "ann", now_ + absl::Hours(9 * 24)).ok());
  EXPECT_EQ(tokens_.List().size(), 1u);
  EXPECT_EQ(kept_.size(), 1u);
}

TEST_F(UserTokensTest, WhatWasUsedIsKept) {
  const auto made = Add("one", 1);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->id().substr(0, 2), "u-");
  ASSERT_TRUE(tokens_.Use("one", "here", now_).ok());
  UserTokens again([](const std::string&, std::string) {});
  for (const auto& [key, bytes] : kept_) {
    ASSERT_TRUE(again.Load(key, bytes).ok());
  }
  EXPECT_TRUE(absl::IsPermissionDenied(again.Use("one", "", now_)));
  EXPECT_TRUE(absl::IsDataLoss(again.Load("x", "\xff")));
}

TEST_F(UserTokensTest, AreRemovedOneByOneOrWithTheirUser) {
  const auto one = Add("one", 0);
  ASSERT_TRUE(one.ok());
  ASSERT_TRUE(Add("two", 0).ok());
  EXPECT_TRUE(tokens_.Remove(one->id()).ok());
  EXPECT_TRUE(absl::IsNotFound(tokens_.Remove(one->id())));
  EXPECT_FALSE(tokens_.UserOf("one", now_).ok());
  tokens_.RemoveOf("ann");
  EXPECT_TRUE(tokens_.UserOf("two", now_).ok());
  tokens_.RemoveOf("ci");
  EXPECT_FALSE(tokens_.UserOf("two", now_).ok());
  EXPECT_TRUE(kept_.empty());
}

TEST_F(UserTokensTest, HaveLimits) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      Add("a", 0, UserTokens::kMaxLifetime + absl::Seconds(1)).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Add("a", 0, absl::Seconds(0)).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(Add("a", UserTokens::kMaxUses + 1).status()));
  for (int i = 0; i < UserTokens::kMaxTokens; ++i) {
    ASSERT_TRUE(Add(absl::StrCat("t", i), 0).ok());
  }
  EXPECT_TRUE(absl::IsResourceExhausted(Add("more", 0).status()));
}

}  // namespace
}  // namespace berth::broker
