#include "broker/ca/join_token.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/match.h"

namespace berth::broker {
namespace {

TEST(JoinTokenTest, TokensAreLongRandomAndSafeInAnyShell) {
  std::set<std::string> tokens;
  for (int i = 0; i < 200; ++i) {
    const std::string token = *NewJoinToken();
    EXPECT_EQ(token.size(), 43u);  // 256 bits in base64url.
    EXPECT_NE(token[0], '-');
    EXPECT_EQ(token.find_first_not_of(
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                  "0123456789-_"),
              std::string::npos);
    tokens.insert(token);
  }
  EXPECT_EQ(tokens.size(), 200u);
}

TEST(JoinTokenTest, PatternsAreNamesWithWildcards) {
  for (const char* good : {"", "web01", "web*", "*", "w?b-*.lan"}) {
    EXPECT_TRUE(CheckTokenPattern(good).ok()) << good;
  }
  for (const char* bad : {"web 1", "a/b", "\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckTokenPattern(bad))) << bad;
  }
  EXPECT_FALSE(CheckTokenPattern(std::string(65, '*')).ok());
}

struct Case {
  const char* name;
  const char* pattern;
  const char* used_by;
  uint32_t uses, max_uses;
  int now;
  const char* error;  // Empty: it may enrol.
};
class CheckTokenTest : public ::testing::TestWithParam<Case> {};

TEST_P(CheckTokenTest, Web01At) {
  const Case& c = GetParam();
  const TokenRecord token{.digest = "x",
                          .name_pattern = c.pattern,
                          .created_by = "admin",
                          .expires_at = absl::FromUnixSeconds(100),
                          .used_by = c.used_by,
                          .used_at = absl::FromUnixSeconds(50),
                          .max_uses = c.max_uses,
                          .uses = c.uses};
  absl::Status status =
      CheckToken(token, "web01", absl::FromUnixSeconds(c.now));
  if (*c.error == '\0') {
    EXPECT_TRUE(status.ok()) << status;
  } else {
    EXPECT_TRUE(absl::IsPermissionDenied(status));
    EXPECT_TRUE(absl::StrContains(status.message(), c.error)) << status;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckTokenTest,
    ::testing::ValuesIn<Case>({
        {"Fits", "web*", "", 0, 1, 99, ""},
        {"AnyName", "", "", 0, 1, 99, ""},
        {"Late", "web*", "", 0, 1, 100, "expired at 1970-01-01 00:01:40 UTC"},
        {"Used", "web*", "web02", 1, 1, 99, "used already, by 'web02'"},
        {"OneLeft", "web*", "web02", 2, 3, 99, ""},
        {"UsedUp", "web*", "web02", 3, 3, 99,
         "used already, 3 times, last by 'web02'"},
        {"Misfit", "db*", "", 0, 1, 99, "not spent"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace berth::broker
