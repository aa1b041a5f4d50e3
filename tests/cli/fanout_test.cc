// `berth run` on several targets: what is shown, and what happens when links,
// computers, readers or the user go away.

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/cli_fixture.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FanoutTest : public CliFixture {
 protected:
  FanoutTest() { more_environment_ = {"BERTH_RECONNECT=3s"}; }

  void WaitForStderr(const std::string& part) const {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (StderrText().find(part) == std::string::npos &&
           absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(10));  // Between two looks, no more.
    }
    EXPECT_THAT(StderrText(), HasSubstr(part));
  }
};

TEST_F(FanoutTest, SaysHowAllEnded) {
  Process::Finished run = Berth({"run", "-s", "1,2,3", "--", "exit 4"});
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(run.err, "berth: 3 failed(4): web01/[1-2],web02\n");
  run = Berth({"run", "-s", "1,3", "-q", "--", "true"});
  EXPECT_EQ(run.err, "");
}

TEST_F(FanoutTest, ColoursOnlyWhereItWasAsked) {
  EXPECT_EQ(Berth({"run", "-s", "1,3", "--", "both"}).out.find('\x1b'),
            std::string::npos);
  const std::string coloured =
      Berth({"run", "-s", "1,3", "--color", "always", "--", "echo x"}).out;
  EXPECT_THAT(coloured, HasSubstr("mweb01:\x1b[0m x\n"));
}

TEST_F(FanoutTest, JsonLines) {
  const Process::Finished run =
      Berth({"run", "-s", "1,3", "-o", "jsonl", "--", "both"});
  for (const char* line :
       {"{\"computer\":\"web01\",\"session\":1,\"stream\":\"stdout\","
        "\"offset\":0,\"data\":\"out\\n\"}\n",
        "{\"computer\":\"web02\",\"session\":3,\"stream\":\"stderr\","
        "\"offset\":4,\"data\":\"err\\n\"}\n",
        "{\"computer\":\"web02\",\"session\":3,\"state\":\"ok\","
        "\"exit_code\":0}\n"}) {
    EXPECT_THAT(run.out, HasSubstr(line));
  }
}

TEST_F(FanoutTest, GathersMoreThanFitsIntoMemory) {
  // 40 MB each; the same, so that it is shown once.
  const Process::Finished run =
      Berth({"run", "-s", "1,2,3", "-b", "--", "pattern 40000000"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out.substr(0, 80), HasSubstr("web01/[1-2],web02 (3)\n"));
  EXPECT_EQ(run.out.find(FakeBroker::Pattern(40000000)),
            run.out.find("---------------\n", 20) + 16);
}

TEST_F(FanoutTest, OutputIsAcknowledgedWhenItIsWritten) {
  // Nobody reads it: what does not fit into the pipe is not acknowledged.
  Process run =
      Start({"run", "-s", "1,3", "--no-prefix", "--", "pattern 30000000"});
  ASSERT_TRUE(run.ReadExactly(1).ok());
  ASSERT_TRUE(broker_.WaitFor([](const FakeBroker::Command&) { return true; }));
  EXPECT_LT(broker_.Last().acked, 10000000u);
  run.StopWith(SIGKILL);
  EXPECT_FALSE(broker_.Last().acked_end);
}

TEST_F(FanoutTest, OutputAndInputSurviveALostLink) {
  const std::string input = FakeBroker::Pattern(2000000);
  const Process::Finished run =
      Berth({"run", "-s", "1,3", "-b", "--", "cut 700000 cat"}, input);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out.substr(0, 60), HasSubstr("web[01-02] (2)"));
  EXPECT_NE(run.out.find(input), std::string::npos);
  EXPECT_EQ(broker_.commands(), 2u);
  EXPECT_EQ(broker_.Last().error, "");
}

TEST_F(FanoutTest, TemporarySessions) {
  Process::Finished run = Berth({"run", "-c", "web[01-03]", "--", "echo hi"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("web03: hi\n"));
  ASSERT_EQ(broker_.created().size(), 3u);
  EXPECT_TRUE(broker_.created()[0].temporary());
  EXPECT_EQ(broker_.removed(), 0u);
  // Where they do not end by themselves.
  broker_.set_ends_temporary(false);
  EXPECT_EQ(Berth({"run", "-c", "web01", "--", "echo hi"}).out, "hi\n");
  EXPECT_EQ(broker_.removed(), 1u);
  run = Berth({"run", "-c", "web0[1-2],web90", "--", "true"});
  EXPECT_EQ(run.exit_code, 125);
  EXPECT_THAT(run.err, HasSubstr("2 ok, 1 unreachable: web90"));
  EXPECT_THAT(run.err, HasSubstr("web90: computer 'web90' is offline"));
  run = Berth({"run", "-c", "web01,web77", "--", "true"});
  EXPECT_THAT(run.err, HasSubstr("no computer 'web77'"));
  EXPECT_EQ(broker_.created().size(), 6u);
  EXPECT_EQ(Berth({"run", "-c", "nope*", "--", "true"}).exit_code, 0);
}

TEST_F(FanoutTest, TheTimeForAllIsKept) {
  const absl::Time start = absl::Now();
  const Process::Finished run =
      Berth({"run", "-s", "1,2,3", "--throttle", "2", "--total-timeout", "1s",
             "--", "stubborn"});
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
  EXPECT_EQ(run.exit_code, 124);
  EXPECT_THAT(run.err, HasSubstr("2 timed out: web01/[1-2], 1 skipped: web02"));
  EXPECT_THAT(run.err, HasSubstr("commands go on in web01/[1-2]; see the rest "
                                 "with 'berth receive 1..2'"));
}

TEST_F(FanoutTest, InterruptsAndLeaves) {
  Process run = Start({"run", "-s", "1,3", "--", "hang"});
  ASSERT_TRUE(run.ReadExactly(2 * strlen("web01: on\n")).ok());
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130);
  EXPECT_THAT(StderrText(), HasSubstr("2 cancelled: web[01-02]"));
  Process stubborn = Start({"run", "-s", "1,3", "--", "stubborn"});
  ASSERT_TRUE(stubborn.ReadExactly(2 * strlen("web01: on\n")).ok());
  kill(stubborn.pid(), SIGINT);
  WaitForStderr("interrupting 2 commands; press Ctrl-C again");
  kill(stubborn.pid(), SIGINT);
  EXPECT_EQ(stubborn.Wait().value(), 130);
  WaitForStderr("see the rest with 'berth receive 1,3'");
  EXPECT_FALSE(broker_.Last().ended);
}

TEST_F(FanoutTest, ALostNetworkIsToldAndTriedAgain) {
  Process run = Start({"run", "-s", "1,3", "--", "hang"});
  ASSERT_TRUE(run.ReadExactly(2 * strlen("web01: on\n")).ok());
  broker_.Stop();
  WaitForStderr("connection to web[01-02] lost; reconnecting for 3s");
  broker_.Start();
  WaitForStderr("reconnected");
  EXPECT_EQ(broker_.commands(), 2u);
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130);
}

TEST_F(FanoutTest, AfterTheTimeToReconnectItSaysHowToGoOn) {
  Process run = Start({"run", "-s", "1,3", "--", "hang"});
  ASSERT_TRUE(run.ReadExactly(2 * strlen("web01: on\n")).ok());
  broker_.Stop();
  EXPECT_EQ(run.Wait().value(), 125);
  EXPECT_THAT(StderrText(), HasSubstr("2 unreachable: web[01-02]"));
  EXPECT_THAT(StderrText(),
              HasSubstr("commands go on in web[01-02]; see the rest with "
                        "'berth receive 1,3'"));
}

TEST_F(FanoutTest, InterruptWhileReconnectingLeavesItRunning) {
  for (const char* sessions : {"1", "1,3"}) {
    broker_.Start();
    Process run = Start({"run", "-s", sessions, "--", "stubborn"});
    ASSERT_TRUE(run.ReadExactly(3).ok());
    broker_.Stop();
    WaitForStderr("lost; reconnecting");
    kill(run.pid(), SIGINT);
    EXPECT_EQ(run.Wait().value(), 130);
    EXPECT_THAT(StderrText(), HasSubstr("berth receive 1"));
    EXPECT_FALSE(broker_.Last().ended);
    ASSERT_EQ(truncate((dir_.path() + "/stderr").c_str(), 0), 0)
        << strerror(errno);
  }
}

TEST_F(FanoutTest, ASingleRunIsTriedAgainAndGivenUp) {
  Process run = Start({"run", "-s", "1", "--", "hang"});
  ASSERT_TRUE(run.ReadExactly(3).ok());
  broker_.Stop();
  WaitForStderr("reconnecting for 3s");
  broker_.Start();
  WaitForStderr("reconnected");
  broker_.Stop();
  EXPECT_EQ(run.Wait().value(), 125);
  EXPECT_THAT(StderrText(), HasSubstr("see the rest with 'berth receive 1'"));
}

TEST_F(FanoutTest, WhatCannotBeWrittenIsTold) {
  Process::Options options = Command({"run", "-s", "1,3", "--", "echo x"});
  std::vector<std::string> argv = {"/bin/sh", "-c",
                                   "exec \"$0\" \"$@\" >/dev/full"};
  argv.insert(argv.end(), options.argv.begin(), options.argv.end());
  options.argv = argv;
  const auto run = Process::Run(options);
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->exit_code, 125);
  EXPECT_THAT(run->err, HasSubstr("No space left"));
  const Process::Finished bad =
      Berth({"run", "-s", "1,3", "--outdir", "/proc/x", "--", "echo x"});
  EXPECT_EQ(bad.exit_code, 125);
  EXPECT_THAT(bad.err, HasSubstr("/proc/x"));
}

TEST_F(FanoutTest, NamesWhatIsWrong) {
  for (const auto& [arguments, want] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"-s", "1", "--using", "NOT_SET"}, "--using NOT_SET: not set here"},
           {{"-s", "1", "--env", "1x=2"}, "variable '1x'"},
           {{"-s", "1,2", "--fail-after", "x"}, "not a number of failures"},
           {{"-s", "1", "--file", "/nope"}, "/nope"},
           {{"-c", "web[1-"}, "'[' without ']'"}}) {
    std::vector<std::string> all = {"run"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"--", "true"});
    const Process::Finished run = Berth(all);
    EXPECT_EQ(run.exit_code, 125);
    EXPECT_THAT(run.err, HasSubstr(want));
  }
  EXPECT_EQ(broker_.commands(), 0u);
}

}  // namespace
}  // namespace berth::testing
