#include "agent/sessions/config.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::HasSubstr;

TEST(ConfigTest, EmptyTextIsTheDefaults) {
  const auto config = ParseConfig("", "agent.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->configurations.size(), 1u);
  const Configuration& configuration = config->configurations.at("default");
  EXPECT_EQ(configuration.shell, "/bin/bash");
  EXPECT_TRUE(configuration.arguments.empty());
  EXPECT_EQ(configuration.idle_timeout, absl::Hours(2));
  EXPECT_EQ(configuration.max_idle_timeout, absl::Hours(12));
  EXPECT_EQ(configuration.log_limit, 64u << 20);
  EXPECT_FALSE(configuration.drop_when_full);
  EXPECT_EQ(config->max_sessions, 256u);
}

TEST(ConfigTest, TakesEverySetting) {
  const auto config = ParseConfig(R"(
max_sessions = 3
default_configuration = "build"
[configurations.build]
shell = "/usr/bin/bash"
arguments = ["-l", "-x"]
idle_timeout = "90s"
max_idle_timeout = "24h"
log_limit = "1GiB"
when_full = "drop"
)",
                                  "agent.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->max_sessions, 3u);
  EXPECT_EQ(config->default_configuration, "build");
  ASSERT_EQ(config->configurations.size(), 2u);
  const Configuration& build = config->configurations.at("build");
  EXPECT_EQ(build.shell, "/usr/bin/bash");
  EXPECT_THAT(build.arguments, testing::ElementsAre("-l", "-x"));
  EXPECT_EQ(build.idle_timeout, absl::Seconds(90));
  EXPECT_EQ(build.max_idle_timeout, absl::Hours(24));
  EXPECT_EQ(build.log_limit, 1u << 30);
  EXPECT_TRUE(build.drop_when_full);
}

struct Wrong {
  const char* name;
  const char* text;
  const char* want;  // In the message.
};

class WrongConfigTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfigTest, IsRefusedWithItsLine) {
  const auto config = ParseConfig(GetParam().text, "agent.toml");
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(config.status().message()),
              HasSubstr(GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongConfigTest,
    testing::ValuesIn<Wrong>({
        {"Syntax", "\nx = = 2\n", "agent.toml:2"},
        {"UnknownKey", "\n\nmax_session = 2\n", "agent.toml:3: 'max_session'"},
        {"WrongType", "max_sessions = \"2\"\n", "agent.toml:1"},
        {"TooManySessions", "max_sessions = 0\n", "1 to 100000"},
        {"UnknownSetting", "[configurations.a]\nshel = \"/bin/sh\"\n",
         "agent.toml:2: 'shel'"},
        {"RelativeShell", "[configurations.a]\nshell = \"bash\"\n",
         "absolute path"},
        {"BadName", "[configurations.\"a b\"]\n", "a b"},
        {"BadTime", "[configurations.a]\nidle_timeout = \"2\"\n", "'2'"},
        {"IdleBeyondMax", "[configurations.a]\nidle_timeout = \"13h\"\n",
         "max_idle_timeout"},
        {"SmallLog", "[configurations.a]\nlog_limit = \"10KiB\"\n", "1MiB"},
        {"BadLog", "[configurations.a]\nlog_limit = \"many\"\n", "'many'"},
        {"HugeLog", "[configurations.a]\nlog_limit = \"99999999999GiB\"\n",
         "1024GiB"},
        {"BadWhenFull", "[configurations.a]\nwhen_full = \"stop\"\n", "drop"},
        {"BadArguments", "[configurations.a]\narguments = [1]\n",
         "'arguments'"},
        {"NoTable", "[configurations]\na = 1\n", "agent.toml:2"},
        {"RelativeCgroup", "cgroup = \"berth\"\n", "absolute path"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ConfigTest, PamServiceIsANameOrAPath) {
  for (const std::string good :
       {"", "berth", "berth-2.x_y", "/srv/Pam/berth"}) {
    const auto config = ParseConfig("pam = \"" + good + "\"\n", "f");
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->run_as.pam, good);
  }
  // libpam would look for "berth", and take "other" if that is not there.
  for (const std::string bad : {"Berth", "/etc/pam.d/Berth", "pam.d/berth",
                                "/etc/pam.d/", "a b", "/"}) {
    const auto config = ParseConfig("pam = \"" + bad + "\"\n", "f");
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(config.status().message()),
                HasSubstr("absolute path"))
        << bad;
  }
}

TEST(ConfigTest, RecordingsHaveTheirLimits) {
  const auto config = ParseConfig(
      "[recordings]\nlimit = \"64MiB\"\nseal_after = \"5s\"\n", "f");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->recordings_limit, 64 << 20);
  EXPECT_EQ(config->recordings_seal_after, absl::Seconds(5));
  for (const char* bad : {"limit = \"1KiB\"", "seal_after = \"0s\"", "x = 1"}) {
    EXPECT_FALSE(
        ParseConfig(std::string("[recordings]\n") + bad + "\n", "f").ok())
        << bad;
  }
}

}  // namespace
}  // namespace berth::agent
