#include "broker/gateway/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"

namespace berth::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ConfigTest, ReadsWhatItWrites) {
  Config config;
  config.listen = "[::1]:22";
  config.broker = "broker:1";
  config.connections = 7;
  config.login_grace = absl::Seconds(90);
  config.environment = {"LC_*"};
  config.forward = {"localhost:22", "db*:5432"};
  const auto read = ParseConfig(FormatConfig(config), "gateway.toml");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->listen, "[::1]:22");
  EXPECT_EQ(read->broker, "broker:1");
  EXPECT_EQ(read->connections, 7u);
  EXPECT_EQ(read->login_grace, absl::Seconds(90));
  EXPECT_THAT(read->environment, ElementsAre("LC_*"));
  EXPECT_THAT(read->forward, ElementsAre("localhost:22", "db*:5432"));
  EXPECT_EQ(FormatConfig(*read), FormatConfig(config));
}

TEST(ConfigTest, SaysWhereAndWhatIsWrong) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {{"a = 1", "gateway.toml:1: 'a': no such key"},
               {"\nconnections = 0", "gateway.toml:2: 'connections'"},
               {"login_grace = \"1h\"", "from 1s to 10m"},
               {"forward = [\"db\"]", "'db': write HOST:PORT"},
               {"forward = \"db:1\"", "must be a list"},
               {"listen = \"\"", "must be a text"}};
  for (const auto& c : cases) {
    const absl::Status status = ParseConfig(c.text, "gateway.toml").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << c.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace berth::gateway
