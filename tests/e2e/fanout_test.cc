// One command on 256 sessions, and on computers without a session: every state
// that a target can end in, and every way to show what was printed.

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/fleet.h"

namespace berth::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Lines of `text` that contain `part`.
int Count(const std::string& text, absl::string_view part) {
  int count = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    count += absl::StrContains(line, part);
  }
  return count;
}

class FanoutTest : public ::testing::Test {
 protected:
  FanoutTest() : fleet_({"web01", "web02", "web03"}) {}

  std::string StderrText() const {
    return ReadTextFile(fleet_.directory() + "/berth.err");
  }
  // The process's standard error has this; fails after 20 s.
  void WaitForStderr(const std::string& part) const {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!absl::StrContains(StderrText(), part) && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(10));  // Between two looks, no more.
    }
    EXPECT_THAT(StderrText(), HasSubstr(part));
  }

  Fleet fleet_;
};

TEST_F(FanoutTest, TwoHundredAndFiftySixSessions) {
  for (const char* computer : {"web01", "web02"}) {
    for (int i = 0; i < 128; ++i) fleet_.Run({"new", "-c", computer});
  }
  EXPECT_EQ(fleet_.Sessions({}).size(), 256u);
  auto all = fleet_.Berth({"run", "-s", "*", "--throttle", "64", "--", "n=1"});
  EXPECT_EQ(all.exit_code, 0) << all.err;
  EXPECT_EQ(all.err, "berth: 256 ok\n");
  // What one run left in the shells, the next finds; each session once.
  all = fleet_.Berth({"run", "-s", "*", "--", "n=$((n + 1)); echo $n"});
  EXPECT_EQ(Count(all.out, ": 2"), 256);
  all = fleet_.Berth({"run", "-s", "*", "-b", "-x", "web02", "--", "echo $n"});
  EXPECT_THAT(all.out,
              AllOf(HasSubstr("web01/[1-128] (128)\n"), HasSubstr("---\n2\n")));
  all = fleet_.Berth({"run", "-s", "*", "-o", "jsonl", "--", "echo $n"});
  EXPECT_EQ(Count(all.out, "\"data\":\"2\\n\""), 256);
  EXPECT_EQ(Count(all.out, "\"state\":\"ok\""), 256);
  // Input goes to each, whole.
  const std::string input(3000000, 'x');
  all = fleet_.Berth({"run", "-s", "1..32", "-b", "--", "wc -c"}, input);
  EXPECT_THAT(all.out, HasSubstr("3000000\n"));
  EXPECT_THAT(all.out, HasSubstr("(32)"));
  // The deadline is for all of them together.
  const absl::Time start = absl::Now();
  all = fleet_.Berth({"run", "-s", "*", "--total-timeout", "3s", "--",
                      "test $$ -gt 0 && sleep 1000"});
  EXPECT_LT(absl::Now() - start, absl::Seconds(15));
  EXPECT_EQ(all.exit_code, 124);
  EXPECT_THAT(all.err,
              AllOf(HasSubstr("32 timed out"), HasSubstr("224 skipped")));
  all = fleet_.Berth({"run", "-s", "*", "--", "echo $n"});
  EXPECT_EQ(Count(all.out, ": 2"), 256) << all.err;
}

TEST_F(FanoutTest, EveryTargetEndsInOneState) {
  fleet_.Run({"new", "-c", "web[01-03]"});
  fleet_.Run({"new", "-c", "web01"});  // 4: ended.
  fleet_.Berth({"run", "-s", "4", "--exit-ends-session", "--", "exit"});
  fleet_.Run({"new", "-c", "web01"});  // 5: busy.
  fleet_.Run({"run", "-s", "5", "--detach", "--", "sleep 1000"});
  fleet_.KillAgent("web03", SIGKILL);
  fleet_.WaitForState("3", v1::SESSION_STATE_BROKEN);
  fleet_.Run({"new", "-c", "web01"});  // 6: killed by a signal.
  fleet_.Run({"new", "-c", "web01"});  // 7: takes too long.
  fleet_.Run({"run", "-s", "2", "--", "do=fail"});
  fleet_.Run({"run", "-s", "6", "--", "do=kill"});
  fleet_.Run({"run", "-s", "7", "--", "do=sleep"});
  auto run = fleet_.Berth(
      {"run", "-s", "*", "--no-wait", "--timeout", "2s", "--",
       "case $do in fail) (exit 3);; kill) sh -c 'kill -9 $$';; sleep) sleep "
       "1000;; esac"});
  EXPECT_EQ(run.exit_code, 137) << run.err;
  EXPECT_THAT(run.err, HasSubstr("berth: 1 ok, 1 failed(3): web02, 1 "
                                 "failed(SIGKILL): web01/6, 1 timed out: "
                                 "web01/7, 1 unreachable: web03, 2 refused: "
                                 "web01/[4-5]"));
  EXPECT_THAT(run.err, HasSubstr("web03: "));
}

TEST_F(FanoutTest, BeginsNoMoreAfterFailures) {
  fleet_.Run({"new", "-c", "web[01-03]"});
  auto run = fleet_.Berth({"run", "-s", "*", "--throttle", "1", "--fail-after",
                           "2", "--", "(exit 7)"});
  EXPECT_EQ(run.exit_code, 7);
  EXPECT_THAT(run.err, HasSubstr("2 failed(7): web[01-02], 1 skipped: web03"));
}

TEST_F(FanoutTest, TemporarySessionsLeaveNothing) {
  auto run = fleet_.Berth({"run", "-c", "@all,!web02", "--", "echo at; pwd"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(Count(run.out, ": at"), 2);
  EXPECT_THAT(run.out, Not(HasSubstr("web02")));
  EXPECT_TRUE(fleet_.Sessions({}).empty());
  // One computer's output is exact.
  EXPECT_EQ(fleet_.Run({"run", "-c", "web01", "--", "printf 'no end'"}),
            "no end");
  run = fleet_.Berth({"run", "-c", "web01", "--", "cat; exit 9"}, "input");
  EXPECT_EQ(run.exit_code, 9);
  EXPECT_EQ(run.out, "input");
  run = fleet_.Berth({"run", "-c", "web[01-04]", "--", "touch /nope"});
  EXPECT_EQ(run.exit_code, 125);
  EXPECT_THAT(run.err, HasSubstr("no computer 'web04'"));
  EXPECT_TRUE(fleet_.Sessions({}).empty());
  EXPECT_EQ(fleet_.Run({"run", "-c", "@label:site=test", "-b", "--", "true"}),
            "");
}

TEST_F(FanoutTest, InterruptStopsAllAndShowsWhatArrived) {
  fleet_.Run({"new", "-c", "web[01-03]"});
  Process run =
      fleet_.Start({"run", "-s", "*", "-b", "--", "echo early; sleep 1000"});
  for (const char* id : {"1", "2", "3"}) {
    fleet_.WaitFor({"ls", id, "-o", "jsonl"}, "\"COMMAND\"");
  }
  kill(run.pid(), SIGINT);
  const std::string out = run.ReadToEnd().value();
  EXPECT_EQ(run.Wait().value(), 130);
  EXPECT_THAT(out,
              AllOf(HasSubstr("web[01-03] (3) cancelled"), HasSubstr("early")));
  EXPECT_THAT(StderrText(), HasSubstr("3 cancelled: web[01-03]"));
  fleet_.Run({"run", "-s", "*", "--no-wait", "--", "true"});
}

TEST_F(FanoutTest, ASecondInterruptLeavesThem) {
  fleet_.Run({"new", "-c", "web[01-02]"});
  Process run =
      fleet_.Start({"run", "-s", "*", "--",
                    "sh -c \"trap '' INT; echo on; sleep 4; echo over\""});
  ASSERT_TRUE(run.ReadExactly(2 * strlen("web01: on\n")).ok());
  kill(run.pid(), SIGINT);
  WaitForStderr("press Ctrl-C again");
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130);
  EXPECT_THAT(StderrText(), HasSubstr("see the rest with 'berth receive"));
}

TEST_F(FanoutTest, FilesVariablesAndArguments) {
  fleet_.Run({"new", "-c", "web[01-02]"});
  const std::string path = fleet_.directory() + "/script.sh";
  {
    FILE* file = fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    fputs(
        "echo \"$# <$1> <$2> $GREETING\"\nkept=yes\nread -r line\n"
        "echo \"$line\"\n",
        file);
    fclose(file);
  }
  fleet_.Run({"run", "-s", "*", "--", "set -- own"});
  auto run = fleet_.Berth({"run", "-s", "*", "-b", "--file", path, "--env",
                           "GREETING=it's", "--", "a b", "c'd"},
                          "typed\n");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("---\n2 <a b> <c'd> it's\ntyped\n"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--",
                        "echo \"$kept $1 ${GREETING-unset}\""}),
            "yes own unset\n");
  run = fleet_.Berth({"run", "-s", "1", "--using", "BERTH_NOPE", "--", "true"});
  EXPECT_EQ(run.exit_code, 125);
  EXPECT_THAT(run.err, HasSubstr("BERTH_NOPE"));
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--using", "SHOWN=LANG", "--",
                        "echo $SHOWN"}),
            "C.UTF-8\n");
}

TEST_F(FanoutTest, OutputInFilesAndAsDifferences) {
  fleet_.Run({"new", "-c", "web[01-03]"});
  fleet_.Run({"run", "-s", "3", "--", "odd=1"});
  const std::string dir = fleet_.directory() + "/out";
  auto run = fleet_.Berth({"run", "-s", "*", "--outdir", dir, "--",
                           "echo out; echo err >&2; (exit ${odd:-0})"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(ReadTextFile(dir + "/web01.out"), "out\n");
  EXPECT_EQ(ReadTextFile(dir + "/web03.err"), "err\n");
  EXPECT_EQ(ReadTextFile(dir + "/web03.status"), "failed 1\n");
  run = fleet_.Berth(
      {"run", "-s", "*", "--diff", "--", "echo same; echo ${odd:-usual}"});
  EXPECT_THAT(run.out, HasSubstr("--- web[01-02]\n+++ web03\n@@ -1,2 +1,2 @@\n "
                                 "same\n-usual\n+1\n"));
}

TEST_F(FanoutTest, Jobs) {
  fleet_.Run({"new", "-c", "web01"});
  const std::string fifo = fleet_.directory() + "/go";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  auto job = fleet_.Berth({"run", "-s", "1", "--job", "nightly", "--",
                           "echo begun; read -r x <" + fifo + "; (exit 3)"});
  EXPECT_EQ(job.exit_code, 0) << job.err;
  EXPECT_EQ(job.out, "%1 nightly\n");
  EXPECT_THAT(fleet_.Run({"jobs"}),
              AllOf(HasSubstr("nightly"), HasSubstr("Running")));
  EXPECT_EQ(fleet_.Berth({"receive", "%1", "--no-follow"}).out,
            "web01: begun\n");
  Process wait = fleet_.Start({"wait", "job:nightly"});
  // Something else was run meanwhile: only the session knows of the job's.
  ASSERT_TRUE(
      Process::Run({.argv = {"/bin/sh", "-c", "echo go >" + fifo}}).ok());
  EXPECT_EQ(wait.Wait().value(), 3);
  fleet_.Run({"run", "-s", "1", "--", "true"});
  EXPECT_THAT(fleet_.Run({"jobs", "nightly", "-o", "wide"}),
              AllOf(HasSubstr("Failed"), HasSubstr("1 failed(3): web01")));
  // On computers: in sessions that stay.
  job = fleet_.Berth({"run", "-c", "web[02-03]", "--job", "--", "echo hi"});
  EXPECT_EQ(job.out, "%2 Job2\n") << job.err;
  EXPECT_EQ(fleet_.Berth({"wait", "%2"}).exit_code, 0);
  EXPECT_EQ(Count(fleet_.Run({"receive", "%2"}), ": hi"), 2);
  EXPECT_EQ(fleet_.Sessions({}).size(), 3u);
  fleet_.Run({"jobs", "rm", "%1,%2"});
  EXPECT_EQ(fleet_.Run({"jobs"}), "");
  EXPECT_EQ(fleet_.Berth({"receive", "%1"}).exit_code, 1);
  // No later one is taken for it.
  job = fleet_.Berth(
      {"run", "-c", "web[02-03]", "--job", "later", "--", "echo there"});
  EXPECT_EQ(job.out, "%3 later\n") << job.err;
  // Its sessions have its name, which means none of them by itself.
  const auto waited = fleet_.Berth({"wait", "later"});
  EXPECT_EQ(waited.exit_code, 0) << waited.err;
  EXPECT_EQ(Count(fleet_.Run({"receive", "later"}), ": there"), 2);
}

TEST_F(FanoutTest, SetsOfComputersEverywhere) {
  fleet_.Run({"new", "-c", "web[01-03]", "-x", "web02"});
  EXPECT_EQ(fleet_.Sessions({}).size(), 2u);
  EXPECT_EQ(fleet_.Sessions({"-c", "web[01-02]"}).size(), 1u);
  EXPECT_EQ(fleet_.Sessions({"-c", "@all", "-x", "web01"}).size(), 1u);
  EXPECT_EQ(fleet_.Run({"computers", "web*,!web03", "-o", "name"}),
            "web01\nweb02\n");
  EXPECT_EQ(fleet_.Run({"computers", "@label:site=test", "-o", "name"}),
            "web01\nweb02\nweb03\n");
  EXPECT_EQ(fleet_.Run({"run", "-s", "*", "-c", "web[02-03]", "--", "echo x"}),
            "x\n");
  auto failed = fleet_.Berth({"new", "-c", "web[01-"});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr("'[' without ']'"));
  fleet_.Run({"rm", "*", "-c", "@all,!web03"});
  EXPECT_EQ(fleet_.Sessions({}).size(), 1u);
}

}  // namespace
}  // namespace berth::testing
