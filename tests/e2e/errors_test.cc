// Bad input and bad peers: each has a named error, and harms nobody else.

#include <signal.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ErrorsTest : public ::testing::Test {
 protected:
  ErrorsTest() : fleet_({"Server01", "Server02"}) {}

  // Expects `berth` to fail with this code and a message that has `words`.
  void Fails(const std::vector<std::string>& arguments, int code,
             const std::vector<std::string>& words,
             const std::string& client = "laptop") {
    auto finished = fleet_.Berth(arguments, "", client);
    EXPECT_EQ(finished.exit_code, code) << finished.err;
    for (const std::string& word : words) {
      EXPECT_THAT(finished.err, HasSubstr(word));
    }
  }

  Fleet fleet_;
};

TEST_F(ErrorsTest, UnknownAndOfflineComputers) {
  Fails({"new", "-c", "Server77"}, 1, {"Server77", "berth computers"});
  Fails({"ls", "-c", "Server77"}, 1, {"Server77"});
  fleet_.KillAgent("Server02", SIGTERM);
  fleet_.WaitFor({"computers", "Server02", "-o", "json"},
                 "COMPUTER_STATE_OFFLINE");
  Fails({"new", "-c", "Server02"}, 1, {"Server02", "offline since"});
}

TEST_F(ErrorsTest, SelectorsThatMatchNothingOrTooMuch) {
  fleet_.Run({"new", "-c", "Server01,Server02", "--name", "web"});
  Fails({"run", "-s", "9", "--", "true"}, 125, {"9", "berth ls"});
  Fails({"run", "-s", "nope", "--", "true"}, 125, {"nope"});
  Fails({"rm", "9"}, 1, {"9"});
  Fails({"ls", "nope"}, 1, {"nope"});
  EXPECT_EQ(fleet_.Berth({"ls", "nope*"}).exit_code, 0);
  EXPECT_EQ(fleet_.Berth({"rm", "nope*"}).exit_code, 0);
  Fails({"connect", "web"}, 1, {"web", "1", "2"});
  Fails({"ls", "3..1"}, 1, {"3..1"});
}

TEST_F(ErrorsTest, IdleTimeoutOutOfBounds) {
  Fails({"new", "-c", "Server01", "--idle-timeout", "59s"}, 1, {"59s", "at least 1m"});
  Fails({"new", "-c", "Server01", "--idle-timeout", "1000h"}, 1, {"12h"});
  Fails({"new", "-c", "Server01", "--idle-timeout", "soon"}, 1, {"soon"});
  EXPECT_TRUE(fleet_.Sessions({}).empty());
}

TEST_F(ErrorsTest, BusySessionWaitsOrRefuses) {
  fleet_.Run({"new", "-c", "Server01"});
  const std::string fifo = fleet_.directory() + "/go";
  fleet_.Run({"run", "-s", "1", "--detach", "--",
              "mkfifo " + fifo + "; : marker; read -r x <" + fifo});
  Fails({"run", "-s", "1", "--no-wait", "--", "true"}, 125,
        {"busy", "mkfifo", "since"});
  Fails({"run", "-s", "1", "--wait", "1s", "--", "true"}, 124,
        {"busy", "mkfifo"});
  Process waiting = fleet_.Start({"run", "-s", "1", "--", "echo done"});
  fleet_.WaitFor({"ls", "1", "-o", "jsonl"}, "\"queued\":1");
  ASSERT_TRUE(
      Process::Run({.argv = {"/bin/sh", "-c", "echo go >" + fifo}}).ok());
  EXPECT_EQ(waiting.ReadToEnd().value(), "done\n");
  EXPECT_EQ(waiting.Wait().value(), 0);
}

TEST_F(ErrorsTest, SessionHeldByAnotherClientIsNotTakenSilently) {
  fleet_.Run({"new", "-c", "Server01"});
  Fails({"connect", "1"}, 1, {"held by", "--take"}, "desk");
  Fails({"run", "-s", "1", "--", "true"}, 125, {"held by"}, "desk");
  fleet_.Run({"connect", "1", "--take"}, "", "desk");
  Fails({"run", "-s", "1", "--", "true"}, 125, {"held by"}, "laptop");
  EXPECT_EQ(fleet_.Session("1").state(), v1::SESSION_STATE_DISCONNECTED);
  EXPECT_EQ(fleet_.Session("1").availability(), v1::SESSION_AVAILABILITY_BUSY);
}

TEST_F(ErrorsTest, ConnectAndDisconnectTwiceAreHarmless) {
  fleet_.Run({"new", "-c", "Server01"});
  fleet_.Run({"connect", "1"});
  fleet_.Run({"connect", "1"});
  fleet_.Run({"disconnect", "1"});
  fleet_.Run({"disconnect", "1"});
  EXPECT_EQ(fleet_.Session("1").state(), v1::SESSION_STATE_DISCONNECTED);
}

TEST_F(ErrorsTest, SessionThatIsGone) {
  fleet_.Run({"new", "-c", "Server01"});
  const std::string id = fleet_.Session("1").instance_id();
  fleet_.Run({"rm", "1"});
  Fails({"run", "-s", id, "--", "true"}, 125, {id});
  Fails({"receive", id}, 1, {id});
}

TEST_F(ErrorsTest, BadTokens) {
  auto join = [&](const std::string& token, const std::string& name) {
    auto result = Process::Run(
        {.argv = {getenv("BERTH_AGENT"), "join", "--broker",
                  absl::StrCat("localhost:", fleet_.port()), "--token", token,
                  "--ca", fleet_.directory() + "/broker/ca.pem", "--name", name,
                  "--state-dir", fleet_.directory() + "/" + name}});
    EXPECT_TRUE(result.ok()) << result.status();
    return *std::move(result);
  };
  const std::string token(absl::StripAsciiWhitespace(
      fleet_.Run({"admin", "token", "create", "--name-pattern", "db*"})));
  auto misfit = join(token, "web1");
  EXPECT_NE(misfit.exit_code, 0);
  EXPECT_THAT(misfit.err, HasSubstr("db*"));
  EXPECT_EQ(join(token, "db1").exit_code, 0) << "a misfit spent the token";
  auto again = join(token, "db2");
  EXPECT_NE(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("used"));
  auto unknown = join("bm9uc2Vuc2U", "db3");
  EXPECT_NE(unknown.exit_code, 0);
  EXPECT_THAT(unknown.err, HasSubstr("not known"));
}

TEST_F(ErrorsTest, CertificateOfTheWrongPurpose) {
  Process::Options options = fleet_.Command({"ls", "--no-keeper"}, "laptop");
  const std::string agent = fleet_.AgentDirectory("Server01");
  for (std::string& variable : *options.environment) {
    if (variable.rfind("BERTH_CERTIFICATE=", 0) == 0)
      variable = absl::StrCat("BERTH_CERTIFICATE=", agent, "/certificate.pem");
    if (variable.rfind("BERTH_KEY=", 0) == 0)
      variable = absl::StrCat("BERTH_KEY=", agent, "/key.pem");
  }
  auto finished = Process::Run(options);
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->exit_code, 1);
  EXPECT_THAT(finished->err, AllOf(HasSubstr("agent"), HasSubstr("user")));
}

TEST_F(ErrorsTest, ExitStatuses) {
  fleet_.Run({"new", "-c", "Server01,Server02"});
  EXPECT_EQ(fleet_.Berth({"run", "-s", "1", "--", "(exit 42)"}).exit_code, 42);
  EXPECT_EQ(
      fleet_.Berth({"run", "-s", "1", "--", "sh -c 'kill -9 $$'"}).exit_code,
      137);
  EXPECT_EQ(fleet_
                .Berth({"run", "-s", "1,2", "--",
                        "(exit $((BERTH_TEST_UNSET + ${#HOSTNAME} * 0 + 5)))"})
                .exit_code,
            5);
  EXPECT_EQ(fleet_.Berth({"run", "-s", "1", "--", "exit 4"}).exit_code, 4);
  EXPECT_EQ(
      fleet_.Berth({"run", "-s", "1", "--timeout", "200ms", "--", "sleep 1000"})
          .exit_code,
      124);
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo alive"}), "alive\n");
}

TEST_F(ErrorsTest, FirstInterruptStopsTheCommandSecondLeavesIt) {
  fleet_.Run({"new", "-c", "Server01"});
  Process run = fleet_.Start({"run", "-s", "1", "--", "echo on; sleep 1000"});
  ASSERT_EQ(run.ReadExactly(3).value(), "on\n");
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130);
  Process stubborn =
      fleet_.Start({"run", "-s", "1", "--",
                    "sh -c \"trap '' INT; echo on; sleep 1.5; echo over\""});
  ASSERT_EQ(stubborn.ReadExactly(3).value(), "on\n");
  kill(stubborn.pid(), SIGINT);
  // The second press must come after the first was taken for one.
  fleet_.Run({"ls"});
  kill(stubborn.pid(), SIGINT);
  EXPECT_EQ(stubborn.Wait().value(), 130);
  EXPECT_THAT(ReadTextFile(fleet_.directory() + "/berth.err"),
              HasSubstr("berth receive"));
}

TEST_F(ErrorsTest, ClientThatStopsReadingHoldsNobodyUp) {
  fleet_.Run({"new", "-c", "Server01,Server02"});
  Process stalled = fleet_.Start(
      {"run", "-s", "1", "--", "head -c 300M /dev/zero; echo end >&2"});
  // Nobody reads its stdout. Others go on.
  ASSERT_TRUE(stalled.ReadExactly(1).ok());
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(fleet_.Run({"run", "-s", "2", "--", "echo hi"}), "hi\n");
  }
  EXPECT_EQ(fleet_.Session("1").availability(), v1::SESSION_AVAILABILITY_BUSY);
  stalled.StopWith(SIGKILL);
  EXPECT_EQ(fleet_.Run({"run", "-s", "2", "--", "echo hi"}), "hi\n");
}

}  // namespace
}  // namespace berth::testing
