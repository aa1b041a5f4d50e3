#include "cli/ssh/target.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

struct Case {
  std::string name;
  std::string input;
  std::string want;  // computer|user|endpoint, or "!" and a part of the error.
};

class SshTargetTest : public ::testing::TestWithParam<Case> {};

TEST_P(SshTargetTest, IsReadAsWritten) {
  const auto target = ParseSshTarget(GetParam().input, "me");
  const std::string& want = GetParam().want;
  if (want.front() == '!') {
    EXPECT_TRUE(absl::IsInvalidArgument(target.status())) << target.status();
    EXPECT_THAT(std::string(target.status().message()),
                ::testing::HasSubstr(want.substr(1)));
    return;
  }
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(
      absl::StrCat(target->computer, "|", target->user, "|", Endpoint(*target)),
      want);
  EXPECT_EQ(target->text, GetParam().input);
}

INSTANTIATE_TEST_SUITE_P(
    All, SshTargetTest,
    ::testing::ValuesIn<Case>({
        {"Host", "web01", "|me|web01:22"},
        {"UserAndPort", "root@web01:2222", "|root|web01:2222"},
        {"Named", "front=root@10.0.0.7", "front|root|10.0.0.7:22"},
        {"Address6", "2001:db8::7", "|me|[2001:db8::7]:22"},
        {"Address6AndPort", "ann@[2001:db8::7]:2222",
         "|ann|[2001:db8::7]:2222"},
        {"UserOfADomain", "ann@example.com@web01", "|ann@example.com|web01:22"},
        {"Empty", "", "!no such host"},
        {"NoHost", "root@", "!no such host"},
        {"NoUser", "@web01", "!no such user"},
        {"Option", "-oProxyCommand=x", "!"},
        {"OptionAsHost", "root@-oProxyCommand", "!no such host"},
        {"Command", "root@`id`", "!no such host"},
        {"PortTooBig", "web01:65536", "!no such port"},
        {"PortZero", "web01:0", "!no such port"},
        {"PortEmpty", "web01:", "!no such port"},
        {"OpenBracket", "[::1", "!']' is missing"},
        {"BadName", "a b=web01", "!computer"},
    }),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace berth::cli
