#include "broker/gateway/login_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"

namespace berth::gateway {
namespace {

using ::testing::HasSubstr;

TEST(LoginNameTest, SaysWhoAndWhere) {
  const auto alone = ParseLoginName("alice");
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(alone->user, "alice");
  EXPECT_EQ(alone->computer, "");
  const auto computer = ParseLoginName("alice+web-01.example");
  ASSERT_TRUE(computer.ok());
  EXPECT_EQ(computer->computer, "web-01.example");
  EXPECT_EQ(computer->session, "");
  const auto session = ParseLoginName("a.b+web01/de_ploy");
  ASSERT_TRUE(session.ok());
  EXPECT_EQ(session->user, "a.b");
  EXPECT_EQ(session->computer, "web01");
  EXPECT_EQ(session->session, "de_ploy");
}

TEST(LoginNameTest, RefusesWhatIsNoName) {
  const struct {
    const char* text;
    const char* what;
  } cases[] = {{"", "user"},
               {"+web01", "user"},
               {"-oX", "user"},
               {"al ice", "user"},
               {"alice+", "computer"},
               {"alice+/s", "computer"},
               {"alice+web01/", "session"},
               {"alice+web01/a/b", "session"},
               {"alice+web01+db1", "computer"},
               {"alice+web01/12", "session"},
               {"alice\n+web01", "user"}};
  for (const auto& c : cases) {
    const absl::Status status = ParseLoginName(c.text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << c.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.what)) << c.text;
  }
}

}  // namespace
}  // namespace berth::gateway
