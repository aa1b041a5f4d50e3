#include "agent/sessions/configuration.h"

#include <string>

#include "agent/sessions/configuration_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kEverything[] = R"(
description = "For builds"
enabled = false
shell = "/usr/bin/zsh"
login = true
arguments = ["-f"]
startup_script = "umask 077\n"
environment = { CI = "1", NAME = "a b" }
cwd = "/srv"
idle_timeout = "90s"
max_idle_timeout = "24h"
may_never_idle = true
idle_while_busy = "idle"
when_full = "drop"
log_limit = "1GiB"
copy_limit = "2MiB"
[limits]
max_sessions = 9
max_sessions_per_user = 2
memory = "512MiB"
processes = 100
cpu = 1.5
open_files = 1024
file_size = 1048576
)";

TEST(ConfigurationTest, TakesEverySetting) {
  const auto it = ParseConfiguration(kEverything, "x.toml");
  ASSERT_TRUE(it.ok()) << it.status();
  EXPECT_EQ(it->description, "For builds");
  EXPECT_FALSE(it->enabled);
  EXPECT_EQ(it->shell, "/usr/bin/zsh");
  EXPECT_EQ(it->kind, ShellKind::kZsh);
  EXPECT_TRUE(it->login);
  EXPECT_THAT(it->arguments, ElementsAre("-f"));
  EXPECT_EQ(*StartupScript(*it), "umask 077\n");
  EXPECT_EQ(it->environment.at("NAME"), "a b");
  EXPECT_EQ(it->cwd, "/srv");
  EXPECT_EQ(it->idle_timeout, absl::Seconds(90));
  EXPECT_EQ(it->max_idle_timeout, absl::Hours(24));
  EXPECT_TRUE(it->may_never_idle);
  EXPECT_TRUE(it->idle_while_busy);
  EXPECT_TRUE(it->drop_when_full);
  EXPECT_EQ(it->log_limit, 1u << 30);
  EXPECT_EQ(it->limits.max_sessions, 9u);
  EXPECT_EQ(it->limits.max_sessions_per_user, 2u);
  EXPECT_EQ(it->limits.memory, 512u << 20);
  EXPECT_EQ(it->limits.processes, 100u);
  EXPECT_EQ(it->limits.cpu, 1.5);
  EXPECT_EQ(it->limits.open_files, 1024u);
  EXPECT_EQ(it->limits.file_size, 1u << 20);
}

TEST(ConfigurationTest, ItsTextIsReadAsTheSame) {
  for (const char* text :
       {kEverything, "",
        "kind = \"restricted\"\nallowed = [{name=\"uptime\", "
        "path=\"/usr/bin/uptime\"}, {name=\"cat\", path=\"/bin/cat\", "
        "arguments=[\"/var/log/[a-z]+\"], repeat_last=true}]\n"}) {
    const auto first = ParseConfiguration(text, "x.toml");
    ASSERT_TRUE(first.ok()) << first.status();
    const std::string written = ConfigurationText(*first);
    const auto second = ParseConfiguration(written, "y.toml");
    ASSERT_TRUE(second.ok()) << second.status() << "\n" << written;
    EXPECT_EQ(ConfigurationText(*second), written);
  }
}

TEST(ConfigurationTest, GuessesTheKindOfShell) {
  for (const auto& [shell, kind] : {std::pair("/bin/bash", "bash"),
                                    {"/opt/bash-5.2", "bash"},
                                    {"/usr/bin/zsh5", "zsh"},
                                    {"/usr/bin/python3.11", "python"},
                                    {"/usr/local/bin/mine", "bash"}}) {
    const auto it =
        ParseConfiguration("shell = \"" + std::string(shell) + "\"", "x.toml");
    ASSERT_TRUE(it.ok()) << it.status();
    EXPECT_EQ(KindName(it->kind), kind) << shell;
  }
}

TEST(ConfigurationTest, StartupScriptIsReadFromItsFileWhenItIsUsed) {
  const auto it = ParseConfiguration("startup_script = \"/no/such\"", "x.toml");
  ASSERT_TRUE(it.ok());
  const auto script = StartupScript(*it);
  EXPECT_EQ(script.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(script.status().message()), HasSubstr("/no/such"));
}

struct Wrong {
  const char* name;
  const char* text;
  const char* want;  // In the message.
};

class WrongConfigurationTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfigurationTest, IsRefusedWithItsLine) {
  const auto it = ParseConfiguration(GetParam().text, "x.toml");
  EXPECT_EQ(it.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(it.status().message()), HasSubstr(GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongConfigurationTest,
    testing::ValuesIn<Wrong>({
        {"Syntax", "\nx = = 2\n", "x.toml:2"},
        {"UnknownKey", "\n\nshel = \"/bin/sh\"\n", "x.toml:3: 'shel'"},
        {"UnknownLimit", "[limits]\nmemroy = \"1GiB\"", "x.toml:2: 'memroy'"},
        {"Kind", "kind = \"fish\"", "\"zsh\""},
        {"Flag", "login = \"yes\"", "'login'"},
        {"Description", "description = \"a\\nb\"", "one line"},
        {"Path", "cwd = \"srv\"", "absolute path"},
        {"Variable", "\nenvironment = { \"A B\" = \"1\" }", "x.toml:2"},
        {"Loader", "environment = { LD_PRELOAD = \"/x\" }", "LD_PRELOAD"},
        {"Nul", "environment = { A = \"\\u0000\" }", "NUL"},
        {"Busy", "idle_while_busy = true", "'idle_while_busy'"},
        {"Never", "idle_timeout = \"never\"", "'never'"},
        {"Bounds", "idle_timeout = \"13h\"", "max_idle_timeout"},
        {"LittleMemory", "limits = { memory = \"1MiB\" }", "16MiB"},
        {"NoCpu", "limits = { cpu = 0 }", "cpu must be"},
        {"NanCpu", "limits = { cpu = nan }", "cpu must be"},
        {"FewFiles", "limits = { open_files = 3 }", "32"},
        {"NothingAllowed", "kind = \"restricted\"", "'allowed'"},
        {"AllowedForShells", "allowed = [{name=\"a\", path=\"/a\"}]",
         "kind restricted"},
        {"NoPath", "kind = \"restricted\"\nallowed = [{name=\"a\"}]",
         "needs a path"},
        {"Twice",
         "kind = \"restricted\"\nallowed = [{name=\"a\", path=\"/a\"}, "
         "{name=\"a\", path=\"/b\"}]",
         "twice"},
        {"Pattern",
         "kind = \"restricted\"\nallowed = [{name=\"a\", path=\"/a\", "
         "arguments=[\"(\"]}]",
         "regular expression"},
        {"Repeats",
         "kind = \"restricted\"\nallowed = [{name=\"a\", path=\"/a\", "
         "arguments=[\"((a{255}){255}){255}\"]}]",
         "repeats"},
        {"RepeatNothing",
         "kind = \"restricted\"\nallowed = [{name=\"a\", path=\"/a\", "
         "repeat_last=true}]",
         "repeat_last"},
        {"RestrictedLogin",
         "kind = \"restricted\"\nlogin = true\nallowed = [{name=\"a\", "
         "path=\"/a\"}]",
         "no shell"},
    }),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ConfigurationTest, SaysWhatIsRecorded) {
  const auto record = [](const std::string& value) {
    const auto read = ParseConfiguration("record = " + value + "\n", "f");
    if (!read.ok()) return std::string(read.status().message());
    const auto again = ParseConfiguration(ConfigurationText(*read), "f");
    return RecordText(*again);
  };
  EXPECT_EQ(record("true"), "all");
  EXPECT_EQ(record("false"), "");
  EXPECT_EQ(record("\"terminal\""), "terminal");
  EXPECT_EQ(record("\"commands\""), "commands");
  EXPECT_THAT(record("\"typed\""), HasSubstr("f:1"));
  EXPECT_THAT(record("1"), HasSubstr("record must be"));
}

}  // namespace
}  // namespace berth::agent
