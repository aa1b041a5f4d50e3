// `berth run` and `receive`: what comes through, and what happens when the
// link, the reader or the user goes away in the middle.

#include <signal.h>
#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cli/cli_fixture.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

size_t SizeOf(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

// Each in the keeper, and in the process itself.
class RunTest : public CliFixture, public ::testing::WithParamInterface<bool> {
 protected:
  RunTest() {
    if (!GetParam()) more_environment_ = {"BERTH_KEEPER=off"};
  }
};

INSTANTIATE_TEST_SUITE_P(Ways, RunTest, ::testing::Bool(),
                         [](const auto& info) {
                           return info.param ? "Keeper" : "NoKeeper";
                         });

TEST_P(RunTest, EndsWithTheCommandsStatus) {
  EXPECT_EQ(Berth({"run", "-s", "1", "--", "true"}).exit_code, 0);
  EXPECT_EQ(Berth({"run", "-s", "1", "--", "exit", "42"}).exit_code, 42);
  EXPECT_EQ(Berth({"run", "-s", "1", "exit 3"}).exit_code, 3);
  EXPECT_EQ(KeeperPid() != 0, GetParam());
}

TEST_P(RunTest, KeepsTheStreamsApart) {
  const Process::Finished finished = Berth({"run", "-s", "1", "--", "both"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.out, "out\nmore\n");
  EXPECT_EQ(finished.err, "err\nno newline");
}

TEST_P(RunTest, TagsLinesOfSeveral) {
  Process::Finished finished = Berth({"run", "-s", "1,3", "--", "both"});
  EXPECT_EQ(finished.exit_code, 0);
  for (const char* tag : {"web01: ", "web02: "}) {
    EXPECT_THAT(finished.out, HasSubstr(absl::StrCat(tag, "more\n")));
    EXPECT_THAT(finished.err, HasSubstr(absl::StrCat(tag, "err\n")));
    EXPECT_THAT(finished.err, HasSubstr(absl::StrCat(tag, "no newline\n")));
  }
  finished = Berth({"run", "-s", "1..2", "--", "echo hi"});
  EXPECT_THAT(finished.out, HasSubstr("web01/1: hi\n"));
  EXPECT_THAT(finished.out, HasSubstr("web01/2: hi\n"));
  EXPECT_EQ(Berth({"run", "-s", "1,2", "--no-prefix", "--", "echo hi"}).out,
            "hi\nhi\n");
}

TEST_P(RunTest, NamesWhatIsNotThere) {
  Process::Finished finished = Berth({"run", "-s", "9", "--", "true"});
  EXPECT_EQ(finished.exit_code, 125);
  EXPECT_THAT(finished.err,
              HasSubstr("berth: session '9': not found; see 'berth ls'"));
  finished = Berth({"run", "-s", "1,nope", "--", "true"});
  EXPECT_EQ(finished.exit_code, 125);
  EXPECT_THAT(finished.err, HasSubstr("'nope'"));
  EXPECT_EQ(broker_.commands(), 0u);
  EXPECT_EQ(Berth({"run", "-s", "nope*", "--", "true"}).exit_code, 0);
  EXPECT_EQ(Berth({"run", "--", "true"}).exit_code, 125);
  EXPECT_EQ(Berth({"run", "-s", "1"}).exit_code, 125);
}

TEST_P(RunTest, PassesInputExactly) {
  const std::string bytes = FakeBroker::Pattern(3000000);
  const Process::Finished finished =
      Berth({"run", "-s", "1", "--", "cat"}, bytes);
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_TRUE(finished.out == bytes) << finished.out.size();
  EXPECT_EQ(broker_.Last().error, "");
}

TEST_P(RunTest, InputSurvivesALostLink) {
  const std::string bytes = FakeBroker::Pattern(3000000);
  const Process::Finished finished =
      Berth({"run", "-s", "1", "--", "cut 1000000 cat"}, bytes);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_TRUE(broker_.Last().input == bytes) << broker_.Last().input.size();
  EXPECT_TRUE(finished.out == bytes) << finished.out.size();
  EXPECT_EQ(broker_.Last().error, "");
  EXPECT_THAT(finished.err, HasSubstr("lost; reconnecting"));
}

TEST_P(RunTest, OutputSurvivesALostLink) {
  const Process::Finished finished =
      Berth({"run", "-s", "1", "--", "cut 1000000 pattern 5000000"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_TRUE(finished.out == FakeBroker::Pattern(5000000))
      << finished.out.size();
  EXPECT_EQ(broker_.commands(), 1u);
  EXPECT_TRUE(broker_.Last().acked_end);
}

TEST_P(RunTest, GoesOnAfterTheBrokerWasRestarted) {
  Process run = Start({"run", "-s", "1", "--", "hang"});
  ASSERT_EQ(run.ReadExactly(3).value(), "on\n");
  broker_.Stop();
  broker_.Start();
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130) << StderrText();
  EXPECT_EQ(broker_.commands(), 1u);
}

TEST_P(RunTest, ASecondInterruptLeavesItRunning) {
  Process run = Start({"run", "-s", "1", "--", "stubborn"});
  ASSERT_EQ(run.ReadExactly(3).value(), "on\n");
  kill(run.pid(), SIGINT);
  // Said once the first was taken for one.
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (StderrText().find("press Ctrl-C again") == std::string::npos &&
         absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(10));  // Between two looks, no more.
  }
  kill(run.pid(), SIGINT);
  EXPECT_EQ(run.Wait().value(), 130);
  EXPECT_THAT(StderrText(), HasSubstr("berth receive 1"));
  EXPECT_FALSE(broker_.Last().ended);
}

TEST_P(RunTest, TerminationLeavesItRunning) {
  Process run = Start({"run", "-s", "1", "--", "stubborn"});
  ASSERT_EQ(run.ReadExactly(3).value(), "on\n");
  EXPECT_EQ(run.StopWith(SIGTERM), 143);
  EXPECT_THAT(StderrText(), HasSubstr("berth receive 1"));
}

TEST_P(RunTest, AReaderThatIsGoneEndsItAsSigpipeWould) {
  Process::Options options =
      Command({"run", "-s", "1", "--", "pattern 9000000"}, true);
  options.argv.insert(
      options.argv.begin(),
      {"/bin/bash", "-c", "\"$0\" \"$@\" | head -c 5; exit ${PIPESTATUS[0]}"});
  auto process = Process::Start(options);
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(process->ReadToEnd().value(), FakeBroker::Pattern(5));
  EXPECT_EQ(process->Wait().value(), 141);
  EXPECT_EQ(StderrText(), "");
}

TEST_P(RunTest, ReceivesWhatANeverReadingClientLeft) {
  Process run = Start({"run", "-s", "1", "--", "pattern 9000000"});
  ASSERT_TRUE(run.ReadExactly(1).ok());
  EXPECT_EQ(run.StopWith(SIGTERM), 143);
  ASSERT_TRUE(
      broker_.WaitFor([](const auto& command) { return command.acked > 0; }));
  const uint64_t acked = broker_.Last().acked;
  EXPECT_LT(acked, 9000000u);
  const Process::Finished received = Berth({"receive", "1"});
  EXPECT_EQ(received.exit_code, 0);
  EXPECT_TRUE(received.out == FakeBroker::Pattern(9000000).substr(acked));
  EXPECT_EQ(Berth({"receive", "1"}).out, "");
  EXPECT_TRUE(Berth({"receive", "1", "--from-start"}).out ==
              FakeBroker::Pattern(9000000));
}

class KeeperRunTest : public CliFixture {};

TEST_F(KeeperRunTest, AKilledClientsOutputIsReceivedOnAtItsByte) {
  const std::string file = dir_.path() + "/out";
  Process run = StartTo(file, {"run", "-s", "1", "--", "pattern 60000000"});
  while (SizeOf(file) < 1000000) absl::SleepFor(absl::Milliseconds(1));
  run.StopWith(SIGKILL);
  Process receive = StartTo(file, {"receive", "1"});
  EXPECT_EQ(receive.Wait(absl::Minutes(1)).value(), 0);
  EXPECT_TRUE(ReadTextFile(file) == FakeBroker::Pattern(60000000))
      << SizeOf(file);
}

}  // namespace
}  // namespace berth::testing
