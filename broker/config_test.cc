#include "broker/config.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"

namespace berth::broker {
namespace {

TEST(ConfigTest, WhatIsWrittenReadsBackTheSame) {
  Config config;
  config.listen = "127.0.0.1:1";
  config.admins = {"ann", "bob"};
  config.hold_grace = absl::Seconds(7);
  config.ping_after = absl::Seconds(9);
  config.admission = {.starting = 3, .waiting = 4};
  auto read = ParseConfig(FormatConfig(config), "broker.toml");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->listen, config.listen);
  EXPECT_EQ(read->admins, config.admins);
  EXPECT_EQ(read->hold_grace, config.hold_grace);
  EXPECT_EQ(read->ping_after, config.ping_after);
  EXPECT_EQ(read->admission.starting, 3u);
  EXPECT_EQ(read->admission.waiting, 4u);
  EXPECT_EQ(read->agent_certificate_lifetime,
            config.agent_certificate_lifetime);
}

TEST(ConfigTest, EmptyFileGivesDefaults) {
  auto read = ParseConfig("", "broker.toml");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->listen, "0.0.0.0:7780");
  EXPECT_EQ(read->hold_grace, absl::Seconds(2));
}

struct Case {
  const char* name;
  const char* text;
  const char* error;
};
class BadConfigTest : public ::testing::TestWithParam<Case> {};

TEST_P(BadConfigTest, IsRefusedWithItsLine) {
  auto read = ParseConfig(GetParam().text, "broker.toml");
  ASSERT_TRUE(absl::IsInvalidArgument(read.status()));
  EXPECT_TRUE(absl::StrContains(read.status().message(), GetParam().error))
      << read.status();
}

INSTANTIATE_TEST_SUITE_P(
    All, BadConfigTest,
    ::testing::ValuesIn<Case>({
        {"UnknownKey", "\nlisten = \"a:1\"\nport = 3\n",
         "broker.toml:3: 'port': no such key"},
        {"Syntax", "listen = \n", "broker.toml:1: "},
        {"Kind", "listen = 3\n", "broker.toml:1: 'listen': must be a text"},
        {"NoDuration", "hold_grace = \"soon\"\n", "must be a time"},
        {"TooLong", "hold_grace = \"2h\"\n", "between 0 and 1h"},
        {"PingsTooOften", "ping_after = \"1s\"\n", "between 5s and 1h"},
        {"NoList", "admins = \"a\"\n", "must be a list"},
        {"NoCount", "links_waiting = 0\n", "between 1 and 1000000"},
        {"NoNames", "admins = [1]\n", "must be a list"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace berth::broker
