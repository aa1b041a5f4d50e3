#include "base/tls/identity.h"

#include "gtest/gtest.h"

namespace berth {
namespace {

TEST(IdentityTest, GoesToAUriAndBack) {
  for (Purpose purpose :
       {Purpose::kUser, Purpose::kAgent, Purpose::kBroker, Purpose::kGateway}) {
    const Identity identity{purpose, "web01"};
    EXPECT_EQ(ParseIdentityUri(ToUri(identity)).value(), identity);
  }
  EXPECT_EQ(ToUri({Purpose::kUser, "alice"}), "berth://user/alice");
}

TEST(IdentityTest, RefusesOtherUris) {
  for (const char* uri :
       {"", "berth://", "berth://user", "berth://user/", "berth://root/alice",
        "https://user/alice", "berth://user/alice/x", "berth://user/a b"}) {
    EXPECT_EQ(ParseIdentityUri(uri).status().code(),
              absl::StatusCode::kInvalidArgument)
        << uri;
  }
}

}  // namespace
}  // namespace berth
