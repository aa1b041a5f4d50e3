// Readers that are slow, or do not read at all, and commands that don't.

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/monotonic.h"
#include "base/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bounds/bounds_fixture.h"
#include "tests/support/proc.h"

namespace berth::testing {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kLogLimit = 64 << 20;
// More than all queues on the way hold together, far less than what waits.
constexpr int64_t kQueuesKilobytes = 16 << 10;

class ReadersTest : public BoundsTest {
 protected:
  void WaitForFullLog() {
    WaitUntil([&] { return LoggedBytes() > kLogLimit * 9 / 10; }, "a full log");
  }
};

// The command waits, as documented; nobody else does, and no process keeps for
// the reader what the log has.
TEST_F(ReadersTest, StoppedClientStopsItsCommandAlone) {
  const Memory before = MeasureMemory();
  Process run =
      fleet_.Start({"--no-keeper", "run", "-s", "1", "--", "yes"}, "dead");
  ASSERT_TRUE(run.ReadExactly(1 << 20).ok());
  kill(run.pid(), SIGSTOP);
  WaitForFullLog();
  ExpectOthersUnhurt();
  ExpectGrewLessThan(kQueuesKilobytes, before);
  kill(run.pid(), SIGCONT);
  ASSERT_TRUE(run.ReadExactly(kLogLimit + (8 << 20)).ok());  // It goes on.
}

TEST_F(ReadersTest, ReaderThatDoesNotReadCostsTheKeeperNothing) {
  fleet_.Run({"run", "-s", "1", "--", "true"});
  const pid_t keeper = fleet_.KeeperPid();
  const Memory before = MeasureMemory({{"keeper", keeper}});
  Process run = fleet_.Start({"run", "-s", "1", "--", "yes"});
  ASSERT_TRUE(run.ReadExactly(1 << 20).ok());
  WaitForFullLog();
  ExpectOthersUnhurt();
  // The same keeper serves others, too.
  EXPECT_EQ(fleet_.Run({"run", "-s", "2", "--", "echo unhurt"}), "unhurt\n");
  ExpectGrewLessThan(kQueuesKilobytes, before, {{"keeper", keeper}});
}

TEST_F(ReadersTest, SlowReaderGetsEveryByte) {
  const Memory before = MeasureMemory();
  Process run = fleet_.Start(
      {"run", "-s", "1", "--", "head -c 80M /dev/zero | tr '\\0' x"});
  ASSERT_TRUE(run.ReadExactly(1 << 20).ok());
  WaitForFullLog();
  ExpectGrewLessThan(kQueuesKilobytes, before);
  size_t got = 1 << 20;
  for (; got < (80u << 20); got += 4 << 20) {
    const size_t next = std::min<size_t>(4 << 20, (80u << 20) - got);
    auto part = run.ReadExactly(next);
    ASSERT_TRUE(part.ok()) << part.status();
    ASSERT_EQ(part->find_first_not_of('x'), std::string::npos);
    if (got % (16 << 20) == 1 << 20) ExpectOthersUnhurt();
  }
  EXPECT_EQ(run.ReadToEnd().value(), "");
  EXPECT_EQ(run.Wait().value(), 0);
}

// Writes into a fifo until nothing is taken for a second. How much was.
size_t FillFifo(int fd, size_t wanted) {
  const std::string block(64 << 10, 'x');
  size_t written = 0;
  absl::Time last = MonotonicNow();
  while (written < wanted && MonotonicNow() - last < absl::Seconds(1)) {
    const ssize_t count =
        write(fd, block.data(), std::min(block.size(), wanted - written));
    if (count > 0) {
      written += count;
      last = MonotonicNow();
    } else {
      absl::SleepFor(absl::Milliseconds(5));  // Between two looks, no more.
    }
  }
  return written;
}

TEST_F(ReadersTest, InputThatNobodyReadsWaitsAtTheClient) {
  const size_t wanted = IsLong() ? 1 << 30 : 64 << 20;
  const std::string fifo = fleet_.directory() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  fleet_.Run({"run", "-s", "1", "--", "true"});
  const pid_t keeper = fleet_.KeeperPid();
  const Memory before = MeasureMemory({{"keeper", keeper}});
  Process::Options options =
      fleet_.Command({"run", "-s", "1", "--", "sleep 1000"}, "laptop");
  options.argv.insert(options.argv.begin(),
                      {"/bin/sh", "-c", "exec \"$@\" <" + fifo, "sh"});
  options.stderr_path = fleet_.directory() + "/berth.err";
  auto run = Process::Start(options);
  ASSERT_TRUE(run.ok()) << run.status();
  const UniqueFd out(open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(out.valid());
  fcntl(out.get(), F_SETFL, O_NONBLOCK);
  const size_t taken = FillFifo(out.get(), wanted);
  std::printf("of %zu bytes %zu were taken\n", wanted, taken);
  EXPECT_LT(taken, 8u << 20);
  ExpectOthersUnhurt();
  ExpectGrewLessThan(kQueuesKilobytes, before, {{"keeper", keeper}});
  // Nothing that waits keeps an interrupt.
  const absl::Time begin = MonotonicNow();
  kill(run->pid(), SIGINT);
  EXPECT_EQ(run->Wait().value(), 130);
  EXPECT_LT(MonotonicNow() - begin, absl::Seconds(5));
  EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", "echo next"}), "next\n");
}

// Ended commands that were received cost the holder a little and the others
// nothing; the latest 10,000 of a session can be received again.
TEST_F(ReadersTest, ManyCommandsTakeAsLongAsTheFirst) {
  const int commands = IsLong() ? 10500 : 1000;
  const auto run = [&](int i) {
    const absl::Time begin = MonotonicNow();
    EXPECT_EQ(fleet_.Run({"run", "-s", "1", "--", absl::StrCat("echo ", i)}),
              absl::StrCat(i, "\n"));
    return MonotonicNow() - begin;
  };
  std::vector<absl::Duration> first;
  std::vector<absl::Duration> last;
  for (int i = 0; i < 100; ++i) first.push_back(run(i));
  const Memory before = MeasureMemory();
  for (int i = 100; i < commands; ++i) {
    const absl::Duration took = run(i);
    if (i >= commands - 100) last.push_back(took);
  }
  std::nth_element(first.begin(), first.begin() + 50, first.end());
  std::nth_element(last.begin(), last.begin() + 50, last.end());
  std::printf("median of the first 100: %s, of the last 100 of %d: %s\n",
              absl::FormatDuration(first[50]).c_str(), commands,
              absl::FormatDuration(last[50]).c_str());
  EXPECT_LT(last[50], 3 * first[50] + absl::Milliseconds(20));
  // At most a kilobyte for each that is remembered.
  ExpectGrewLessThan(1024 + std::min(commands, 10000), before);
  EXPECT_THAT(fleet_.Run({"receive", "1", "--from-start"}),
              absl::StrCat(commands - 1, "\n"));
  ExpectOthersUnhurt();
}

}  // namespace
}  // namespace berth::testing
