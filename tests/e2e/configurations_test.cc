// What sessions are made from: registered, changed and removed while an agent
// runs; their limits, settings and quotas; and sessions for one command alone.
// Real programs, real shells, real limits.

#include <signal.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kComputer[] = "Server01";

class ConfigurationsTest : public ::testing::Test {
 protected:
  ConfigurationsTest() : fleet_({kComputer}) {}

  Process::Finished Configuration(std::vector<std::string> words) {
    return fleet_.Configuration(kComputer, std::move(words));
  }

  void Register(const std::string& name, const std::string& text) {
    fleet_.Register(kComputer, name, text);
  }

  std::string State() const { return fleet_.AgentDirectory(kComputer); }

  void New(const std::string& name, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"new", "-c", kComputer, "--name", name};
    words.insert(words.end(), more.begin(), more.end());
    fleet_.Run(words);
  }

  std::string In(const std::string& session, const std::string& script) {
    return fleet_.Run({"run", "-s", session, "--", script});
  }

  // What is in the log files of a session.
  uint64_t LogBytes(const std::string& instance_id) const {
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(
             State() + "/sessions/" + instance_id)) {
      if (entry.path().filename().string()[0] == 'c' &&
          entry.path().filename() != "cgroup") {
        bytes += entry.file_size();
      }
    }
    return bytes;
  }

  Fleet fleet_;
};

TEST_F(ConfigurationsTest, AreChangedWhileTheAgentRunsAndEndNoSession) {
  New("old");
  In("old", "X=kept");
  Register("build",
           "description = \"For builds\"\ncwd = \"/usr\"\nlogin = true\n"
           "environment = { CI = \"1\", A = \"conf\" }\n");
  New("b", {"--configuration", "build", "--env", "A=mine"});
  EXPECT_EQ(In("b", "echo $PWD $CI $A; shopt -q login_shell"), "/usr 1 mine\n");
  New("c", {"--like", "b", "--cwd", "/tmp"});
  EXPECT_EQ(fleet_.Session("c").configuration(), "build");
  EXPECT_EQ(In("c", "echo $PWD $CI $A"), "/tmp 1 conf\n");
  const std::string listed =
      fleet_.Run({"configurations", "-c", kComputer, "-o", "wide"});
  EXPECT_THAT(listed, HasSubstr("For builds"));
  EXPECT_THAT(listed, HasSubstr("enabled (default)"));

  EXPECT_EQ(Configuration({"disable", "build"}).exit_code, 0);
  fleet_.WaitFor({"configurations"}, "disabled");
  const auto refused =
      fleet_.Berth({"new", "-c", kComputer, "--configuration", "build"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("is disabled"));
  EXPECT_EQ(In("b", "echo $CI"), "1\n");
  EXPECT_EQ(Configuration({"enable", "build"}).exit_code, 0);
  EXPECT_EQ(Configuration({"set-default", "build"}).exit_code, 0);
  fleet_.WaitFor({"configurations"}, "enabled (default)");
  const auto still = Configuration({"remove", "build"});
  EXPECT_NE(still.exit_code, 0);
  EXPECT_THAT(still.err, HasSubstr("is the default"));

  // It is as it was after a restart, and known while the computer is away.
  fleet_.KillAgent(kComputer, SIGTERM);
  EXPECT_THAT(fleet_.Run({"configurations", "-c", kComputer}),
              HasSubstr("For builds"));
  fleet_.StartAgent(kComputer);
  fleet_.WaitForState("old", v1::SESSION_STATE_OPENED);
  New("d");
  EXPECT_EQ(fleet_.Session("d").configuration(), "build");
  EXPECT_EQ(Configuration({"set-default", "default"}).exit_code, 0);
  EXPECT_EQ(Configuration({"remove", "build"}).exit_code, 0);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (absl::Now() < deadline &&
         absl::StrContains(fleet_.Run({"configurations"}), "build")) {
  }
  EXPECT_THAT(fleet_.Run({"configurations"}), Not(HasSubstr("build")));
  EXPECT_EQ(In("old", "echo $X"), "kept\n");
  EXPECT_EQ(In("b", "echo $CI"), "1\n") << "it is as it was made";
}

TEST_F(ConfigurationsTest, WhatIsWrongIsSaidAndTheLastGoodIsKept) {
  const std::string file = fleet_.directory() + "/bad.toml";
  WriteTextFile(file, "description = \"x\"\nshel = \"/bin/bash\"\n");
  const auto bad = Configuration({"check", file});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("bad.toml:2: 'shel' is unknown"));
  EXPECT_NE(Configuration({"register", "bad", file}).exit_code, 0);
  EXPECT_NE(Configuration({"register", "default", file}).exit_code, 0);
  const auto missing =
      fleet_.Berth({"new", "-c", kComputer, "--configuration", "bad"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err,
              HasSubstr("'Server01' has no configuration 'bad'; it has: "
                        "default"));
  WriteTextFile(file, "shell = \"/no/such/shell\"\n");
  EXPECT_THAT(Configuration({"check", file}).err, HasSubstr("/no/such/shell"));

  Register("good", "environment = { G = \"1\" }\n");
  WriteTextFile(State() + "/configurations.d/good.toml", "junk = = 1\n");
  // Any change makes the agent read all of it again.
  EXPECT_EQ(Configuration({"enable", "good"}).exit_code, 0);
  fleet_.WaitFor({"configurations"}, "problem");
  EXPECT_THAT(fleet_.Run({"configurations", "-o", "wide"}),
              HasSubstr("good.toml:1"));
  New("g", {"--configuration", "good"});
  EXPECT_EQ(In("g", "echo $G"), "1\n");
  EXPECT_THAT(ReadTextFile(fleet_.directory() + "/Server01.log"),
              HasSubstr("good.toml:1"));
}

TEST_F(ConfigurationsTest, LimitsAreKept) {
  Register("small",
           "[limits]\nopen_files = 77\nfile_size = \"1MiB\"\n"
           "memory = \"256MiB\"\n");
  New("s", {"--configuration", "small"});
  EXPECT_EQ(In("s", "ulimit -n"), "77\n");
  const auto large =
      fleet_.Berth({"run", "-s", "s", "--",
                    "head -c 2M /dev/zero >" + fleet_.directory() + "/large"});
  EXPECT_EQ(large.exit_code, 128 + SIGXFSZ) << large.err;
  EXPECT_EQ(std::filesystem::file_size(fleet_.directory() + "/large"),
            1u << 20);
  const auto memory = fleet_.Berth(
      {"run", "-s", "s", "--", "python3 -c 'b = bytearray(400 << 20)'"});
  EXPECT_NE(memory.exit_code, 0);
  EXPECT_EQ(In("s", "echo lives"), "lives\n");
  EXPECT_THAT(fleet_.Run({"configurations", "-o", "wide"}),
              HasSubstr("memory=256MiB"));
}

TEST_F(ConfigurationsTest, QuotaSaysWhoseAndTheWayOut) {
  Register("few", "[limits]\nmax_sessions_per_user = 1\n");
  New("one", {"--configuration", "few"});
  const auto refused =
      fleet_.Berth({"new", "-c", kComputer, "--configuration", "few"});
  EXPECT_NE(refused.exit_code, 0);
  for (const char* part :
       {"user 'admin'", "1 sessions", "'few'", kComputer,
        "limit for one user is 1", "berth rm", "max_sessions_per_user"}) {
    EXPECT_THAT(refused.err, HasSubstr(part));
  }
  EXPECT_EQ(In("one", "echo untouched"), "untouched\n");
  New("other");
  fleet_.Run({"rm", "one"});
  New("two", {"--configuration", "few"});
}

TEST_F(ConfigurationsTest, EveryFullQuotaIsNamed) {
  Register("three", "[limits]\nmax_sessions = 1\n");
  New("one", {"--configuration", "three"});
  const auto configuration =
      fleet_.Berth({"new", "-c", kComputer, "--configuration", "three"});
  EXPECT_NE(configuration.exit_code, 0);
  EXPECT_THAT(configuration.err, HasSubstr("configuration 'three'"));
  EXPECT_THAT(configuration.err, HasSubstr("the limit for all users is 1"));

  WriteTextFile(State() + "/agent.toml", "max_sessions = 2\n");
  EXPECT_EQ(Configuration({"enable", "three"}).exit_code, 0);  // Reads it.
  New("two");
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  auto computer = fleet_.Berth({"new", "-c", kComputer});
  while (computer.exit_code == 0 && absl::Now() < deadline) {
    computer = fleet_.Berth({"new", "-c", kComputer});
  }
  EXPECT_NE(computer.exit_code, 0);
  EXPECT_THAT(computer.err, HasSubstr(kComputer));
  EXPECT_THAT(computer.err, HasSubstr("its limit is 2"));
  EXPECT_EQ(In("one", "echo untouched"), "untouched\n");
}

TEST_F(ConfigurationsTest, IdleTimeoutsHaveBoundsAndMayBeNever) {
  for (const char* time : {"59s", "13h", "never"}) {
    EXPECT_NE(fleet_.Berth({"new", "-c", kComputer, "--idle-timeout", time})
                  .exit_code,
              0)
        << time;
  }
  Register("brief", "idle_timeout = \"90s\"\nmax_idle_timeout = \"3m\"\n");
  New("b", {"--configuration", "brief"});
  EXPECT_EQ(fleet_.Session("b").idle_timeout().seconds(), 90);
  const auto long_idle =
      fleet_.Berth({"new", "-c", kComputer, "--configuration", "brief",
                    "--idle-timeout", "4m"});
  EXPECT_NE(long_idle.exit_code, 0);
  EXPECT_THAT(long_idle.err,
              HasSubstr("4m is above the maximum of configuration 'brief' on "
                        "'Server01', 3m"));
  Register("forever", "may_never_idle = true\nmax_idle_timeout = \"24h\"\n");
  New("f", {"--configuration", "forever", "--idle-timeout", "never"});
  fleet_.Run({"disconnect", "f"});
  EXPECT_TRUE(fleet_.Session("f").never_idles());
  EXPECT_FALSE(fleet_.Session("f").has_expires_at());
  EXPECT_THAT(fleet_.Run({"ls", "f", "-o", "wide"}), HasSubstr("never"));

  New("s");
  EXPECT_NE(
      fleet_.Berth({"disconnect", "s", "--idle-timeout", "13h"}).exit_code, 0);
  EXPECT_NE(
      fleet_.Berth({"disconnect", "s", "--idle-timeout", "never"}).exit_code,
      0);
  EXPECT_EQ(fleet_.Session("s").state(), v1::SESSION_STATE_OPENED);
  fleet_.Run({"disconnect", "s", "--idle-timeout", "4m"});
  EXPECT_EQ(fleet_.Session("s").idle_timeout().seconds(), 240);
  // Within five minutes of its end it is marked.
  EXPECT_THAT(fleet_.Run({"ls", "s", "-o", "wide"}), HasSubstr("! ends in "));
  fleet_.Run({"connect", "s", "--idle-timeout", "3h"});
  EXPECT_EQ(fleet_.Session("s").idle_timeout().seconds(), 3 * 3600);
  EXPECT_FALSE(fleet_.Session("s").has_expires_at());
}

TEST_F(ConfigurationsTest, BufferingChangesAtOnce) {
  Register("tight", "log_limit = \"1MiB\"\n");
  New("s", {"--configuration", "tight"});
  EXPECT_EQ(fleet_.Session("s").buffering(), v1::BUFFERING_MODE_BLOCK);
  fleet_.Run({"run", "-s", "s", "--detach", "--",
              "head -c 8000000 /dev/zero; echo done"});
  // It waits for somebody to receive, and then for nobody any more.
  const std::string id = fleet_.Session("s").instance_id();
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (LogBytes(id) < 500'000 && absl::Now() < deadline) {
  }
  EXPECT_GE(LogBytes(id), 500'000u);
  EXPECT_EQ(fleet_.Session("s").activity().kind(), v1::Activity::COMMAND);
  EXPECT_EQ(fleet_.Session("s").dropped_bytes(), 0u);
  fleet_.Run({"disconnect", "s", "--buffering", "drop"});
  EXPECT_EQ(fleet_.Session("s").buffering(), v1::BUFFERING_MODE_DROP);
  while (!fleet_.Session("s").has_last_command() && absl::Now() < deadline) {
  }
  const v1::Session after = fleet_.Session("s");
  EXPECT_EQ(after.last_command().exit_code(), 0);
  EXPECT_GT(after.dropped_bytes(), 6'000'000u);
  EXPECT_LE(after.log_bytes(), 1u << 20);
  EXPECT_EQ(after.log_limit(), 1u << 20);
  EXPECT_THAT(after.last_command().what(), HasSubstr("head -c"));
  fleet_.Run({"connect", "s", "--buffering", "block"});
  EXPECT_EQ(fleet_.Session("s").buffering(), v1::BUFFERING_MODE_BLOCK);
  // Chosen by a configuration, and when a session is made.
  Register("loose", "when_full = \"drop\"\n");
  New("l", {"--configuration", "loose"});
  EXPECT_EQ(fleet_.Session("l").buffering(), v1::BUFFERING_MODE_DROP);
  New("m", {"--configuration", "loose", "--buffering", "block"});
  EXPECT_EQ(fleet_.Session("m").buffering(), v1::BUFFERING_MODE_BLOCK);
}

TEST_F(ConfigurationsTest, StartupScriptRunsInTheSessionAndMustNotFail) {
  const std::string script = fleet_.directory() + "/start.sh";
  WriteTextFile(script, "FROM_SCRIPT=ran\nhello() { echo \"hello $1\"; }\n");
  Register("starts", absl::StrCat("startup_script = \"", script, "\"\n"));
  New("s", {"--configuration", "starts"});
  EXPECT_EQ(In("s", "echo $FROM_SCRIPT; hello you"), "ran\nhello you\n");
  EXPECT_EQ(fleet_.Run({"run", "-c", kComputer, "--configuration", "starts",
                        "--no-prefix", "--", "hello again"}),
            "hello again\n");
  fleet_.Run({"rm", "s"});
  Register("fails", "startup_script = \"echo oops >&2; exit 7\"\n");
  const auto refused =
      fleet_.Berth({"new", "-c", kComputer, "--configuration", "fails"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("startup script"));
  EXPECT_THAT(refused.err, HasSubstr("status 7"));
  EXPECT_THAT(refused.err, HasSubstr("oops"));
  EXPECT_THAT(fleet_.Sessions({}), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(State() + "/sessions"));
}

TEST_F(ConfigurationsTest, TemporarySessionLivesForOneCommand) {
  const auto ran = fleet_.Berth(
      {"run", "-c", kComputer, "--no-prefix", "--", "echo once; exit 3"});
  EXPECT_EQ(ran.exit_code, 3) << ran.err;
  EXPECT_EQ(ran.out, "once\n");
  EXPECT_THAT(fleet_.Sessions({}), IsEmpty());
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!std::filesystem::is_empty(State() + "/sessions") &&
         absl::Now() < deadline) {
  }
  EXPECT_TRUE(std::filesystem::is_empty(State() + "/sessions"));
}

TEST_F(ConfigurationsTest, TemporarySessionOutlivesALostClientAsAnOrdinaryOne) {
  const std::string mark = fleet_.directory() + "/mark";
  Process::Options options =
      fleet_.Command({"run", "-c", kComputer, "--no-keeper", "--",
                      "X=kept; touch " + mark + "; sleep 1000"},
                     "laptop");
  auto client = Process::Start(options);
  ASSERT_TRUE(client.ok()) << client.status();
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!std::filesystem::exists(mark) && absl::Now() < deadline) {
  }
  // While it is what it was made for, nobody sees or uses it.
  EXPECT_THAT(fleet_.Sessions({}), IsEmpty());
  const auto refused =
      fleet_.Berth({"run", "-s", "1", "--no-wait", "--", "true"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("temporary"));
  client->StopWith(SIGKILL);
  fleet_.WaitFor({"ls", "-o", "jsonl"}, "SESSION_STATE_DISCONNECTED");
  const std::vector<v1::Session> sessions = fleet_.Sessions({});
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_FALSE(sessions[0].temporary());
  EXPECT_EQ(sessions[0].availability(), v1::SESSION_AVAILABILITY_BUSY);
  EXPECT_EQ(sessions[0].idle_timeout().seconds(), 7200);
}

}  // namespace
}  // namespace berth::testing
