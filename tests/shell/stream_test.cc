// Input and output of runs: every byte, each in its stream, none on the
// terminal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/shell/shell_test.h"

namespace berth::testing {
namespace {

using absl::StrCat;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class StreamTest : public ShellTest {
 protected:
  std::string RandomBytes(size_t size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(Random(256));
    return bytes;
  }

  // Without printing a megabyte where they differ.
  void ExpectSame(const std::string& got, const std::string& want) {
    EXPECT_EQ(got.size(), want.size());
    EXPECT_TRUE(got == want);
  }
};

TEST_F(StreamTest, OutputIsBinary) {
  std::string data;
  for (int k = 0; k < 1024; ++k) data += static_cast<char>(k);
  WriteTextFile(session().home() + "/data", data);
  Repeat([&](int) {
    Run(R"(cat ~/data; printf "x\0y")", {.out = data + std::string("x\0y", 3)});
  });
}

TEST_F(StreamTest, OutputOfAMegabyteIsExact) {
  std::string data = RandomBytes(1 << 20);
  WriteTextFile(session().home() + "/data", data);
  Repeat([&](int) { ExpectSame(Run("cat ~/data").out, data); });
}

TEST_F(StreamTest, InputOfAMegabyteIsExact) {
  std::string data = RandomBytes(1 << 20);
  Repeat([&](int) { ExpectSame(Run("cat", {.input = data}).out, data); });
}

TEST_F(StreamTest, BuiltinReadsItsLinesOfInputAndNoMore) {
  Repeat([&](int) {
    Run(R"(read -r a; read -r b; echo "$b,$a"; cat)",
        {.out = "2,1\nrest", .input = "1\n2\nrest"});
  });
}

TEST_F(StreamTest, WithoutInputThereIsEndOfFile) {
  Repeat([&](int) { Run("cat; read x || echo eof", {.out = "eof\n"}); });
}

TEST_F(StreamTest, StderrIsSeparate) {
  Repeat([&](int) {
    Run("echo o; echo e >&2; sh -c 'echo o2; echo e2 >&2'",
        {.out = "o\no2\n", .err = "e\ne2\n"});
  });
}

TEST_F(StreamTest, BackgroundJobsMakeNoNoiseInRuns) {
  Repeat([&](int) {
    Run("sleep 0.01 & :", {.out = ""});
    Run("sleep 0.02; true", {.out = ""});
    Run("wait", {.out = ""});
  });
}

TEST_F(StreamTest, RunEndsThoughABackgroundChildHoldsItsStdout) {
  Run("mkfifo ~/gate");
  Repeat([&](int) {
    Result first =
        Run("(read x <~/gate; echo late) & echo now", {.out = "now\n"});
    Run("echo >~/gate; echo second", {.out = "second\n"});
    // What the child writes after the end still belongs to its command.
    const uint64_t end = first.out.size();
    const HolderSession::Command& command = session().command(first.sequence);
    Check(session().WaitUntil([&] { return command.logged > end; },
                              "the late output"));
    auto late = session().ReadLog(first.sequence, end, command.logged);
    if (!Check(late.status())) return;
    EXPECT_EQ(late->out, "late\n");
  });
}

TEST_F(StreamTest, OutputThatIsNotAcknowledgedBlocksTheCommand) {
  HolderSession::Options options;
  options.log_limit = 1 << 20;
  Restart(options);
  Repeat([&](int) {
    const uint64_t sequence =
        Begin("head -c 4000000 /dev/zero | tr '\\0' x; echo END");
    if (HasFailure()) return;
    const HolderSession::Command& command = session().command(sequence);
    // It fills the log, but for what a last record did not fit into.
    Check(session().WaitUntil([&] { return command.logged > 500'000; },
                              "a full log"));
    session().Idle(absl::Milliseconds(50));
    EXPECT_FALSE(command.ended) << "it ended although nobody took its output";
    EXPECT_LE(command.logged, 1u << 20);
    // Taken and acknowledged piece by piece, it comes out whole.
    session().TakeWhileItComes(sequence);
    std::string out = Finish(sequence).out;
    EXPECT_EQ(out.size(), 4'000'004u);
    EXPECT_THAT(out.substr(out.size() - std::min<size_t>(out.size(), 5)),
                EndsWith("xEND\n"));
  });
}

// The command is gone, so its end must not wait until somebody makes room.
TEST_F(StreamTest, CommandWithAFullLogEndsAtOnceWhenItIsInterrupted) {
  HolderSession::Options options;
  options.log_limit = 1 << 20;
  const char* scripts[] = {"echo begin; yes", "echo begin; yes >&2",
                           "echo begin; yes | tee /dev/stderr",
                           "echo begin; while :; do echo flood; done"};
  RepeatFresh([&](int) {
    for (const char* script : scripts) {
      SCOPED_TRACE(script);
      Restart(options);
      const uint64_t sequence = Begin(script);
      if (HasFailure()) return;
      const HolderSession::Command& command = session().command(sequence);
      uint64_t before = 0;
      do {  // Until it stands still.
        before = command.logged;
        session().Idle(absl::Milliseconds(100));
      } while (command.logged > before);
      const absl::Time start = absl::Now();
      Interrupt(sequence);
      const Result result = Finish(sequence, {.status = 130, .err = kAny});
      EXPECT_LT(absl::Now() - start, absl::Seconds(1));
      // What was logged is whole, and what the pipes held is known to be lost.
      EXPECT_THAT(result.out, StartsWith("begin\n"));
      EXPECT_GE(result.gap, 4096u);
      EXPECT_EQ(result.out.size() + result.err.size() + result.gap,
                command.ended->end_offset());
      EXPECT_THAT(result.detail,
                  HasSubstr(absl::StrCat(result.gap, " bytes of its output")));
      RunAnyhow("kill %% 2>/dev/null; wait 2>/dev/null; :");
      // All of it was acknowledged by now, so there is room again.
      Run("head -c 600000 /dev/zero | wc -c", {.out = "600000\n"});
    }
  });
}

TEST_F(StreamTest, CommandThatIsDoneNeedNotBeReceivedToEnd) {
  HolderSession::Options options;
  options.log_limit = 1 << 20;
  RepeatFresh([&](int) {
    Restart(options);
    // A little more than the log takes; the pipe takes the rest.
    const uint64_t sequence = Begin("head -c 1080000 /dev/zero");
    if (HasFailure()) return;
    const HolderSession::Command& command = session().command(sequence);
    Check(session().WaitState(State::IDLE));
    session().Idle(absl::Milliseconds(50));
    EXPECT_FALSE(command.ended) << "there should be no room for its end";
    Interrupt(sequence);
    Check(session().WaitUntil([&] { return command.ended.has_value(); },
                              "its end", absl::Seconds(1)));
    if (HasFailure()) return;
    EXPECT_EQ(command.ended->how(), static_cast<uint32_t>(How::kCompleted));
    EXPECT_EQ(command.ended->end_offset(), 1'080'000u);
    auto logged = session().ReadLog(sequence, 0, 1'080'000);
    if (!Check(logged.status())) return;
    EXPECT_GT(logged->gap, 20'000u);
    EXPECT_EQ(logged->out.size() + logged->gap, 1'080'000u);
  });
}

TEST_F(StreamTest, TwentyThousandWritesOfABuiltin) {
  Repeat([&](int) {
    std::string out =
        Run("for ((i=0;i<20000;i++)); do echo \"line $i\"; done").out;
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 20000);
    EXPECT_THAT(out.substr(out.size() - std::min<size_t>(out.size(), 20)),
                EndsWith("\nline 19999\n"));
  });
}

TEST_F(StreamTest, NothingOfARunIsOnTheTerminal) {
  Repeat([&](int) {
    Check(session().Flush());
    size_t from = session().terminal().size();
    Run(R"(echo a; echo b >&2; printf "\033[31m"; sleep 0.005 | cat)",
        {.out = "a\n\033[31m", .err = "b\n"});
    Check(session().Flush());
    EXPECT_EQ(session().terminal().substr(from), "");
  });
}

// --- Much of it. BERTH_SUITE_MEGABYTES (default 32): 1024 takes half a minute.

class BulkTest : public StreamTest {
 protected:
  // More than the log may hold at once, so it is trimmed all the time.
  void SetUp() override {
    StreamTest::SetUp();
    HolderSession::Options options;
    options.log_limit = 8 << 20;
    Restart(options);
    // Blocks that differ, so that a lost or doubled one shows.
    std::string block = RandomBytes(1 << 20);
    for (int k = 0; k < FromEnvironment("BERTH_SUITE_MEGABYTES", 32); ++k) {
      std::rotate(block.begin(), block.begin() + 997, block.end());
      data_ += block;
    }
    WriteTextFile(session().home() + "/data", data_);
  }

  Result RunStreamed(const char* script,
                     std::optional<std::string> input = std::nullopt) {
    Submission submission;
    submission.script = script;
    submission.input = std::move(input);
    submission.streamed = true;
    auto result = session().Run(submission, absl::Minutes(5));
    return Check(result.status()) ? *std::move(result) : Result();
  }

  std::string data_;
};

TEST_F(BulkTest, StdoutIsExact) {
  Result result = RunStreamed("cat ~/data");
  ExpectSame(result.out, data_);
  EXPECT_EQ(result.status, 0);
}

TEST_F(BulkTest, StderrIsExactBesideStdout) {
  Result result = RunStreamed("cat ~/data >&2; echo out");
  ExpectSame(result.err, data_);
  EXPECT_EQ(result.out, "out\n");
}

TEST_F(BulkTest, StdinIsExact) {
  ExpectSame(RunStreamed("cat; echo END", data_).out, data_ + "END\n");
}

}  // namespace
}  // namespace berth::testing
