#include "cli/ssh/lifeline.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "cli/invocation/signals.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

struct Ends {
  Ends() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    near.reset(ends[0]);
    far.reset(ends[1]);
  }

  // Reads as a library would that knows of no deadline. 0: it was cut.
  ssize_t Read() {
    char c;
    return read(near.get(), &c, 1);
  }

  UniqueFd near;
  UniqueFd far;
};

TEST(LifelineTest, CutsWhoWaitsWhenTheTimeHasPassed) {
  SignalSource signals;
  Ends ends;
  Lifeline lifeline(signals, absl::Milliseconds(20));
  lifeline.Guard(ends.near.get());
  EXPECT_EQ(ends.Read(), 0);
  EXPECT_TRUE(absl::IsDeadlineExceeded(lifeline.reason()));
  EXPECT_EQ(lifeline.left(), absl::ZeroDuration());
  // What comes later is cut as well.
  Ends later;
  lifeline.Guard(later.near.get());
  EXPECT_EQ(later.Read(), 0);
}

TEST(LifelineTest, CutsWhenTheUserLeaves) {
  SignalSource signals;
  Ends ends;
  Lifeline lifeline(signals, absl::Hours(1));
  lifeline.Guard(ends.near.get());
  signals.Leave();
  EXPECT_EQ(ends.Read(), 0);
  EXPECT_TRUE(absl::IsCancelled(lifeline.reason()));
}

TEST(LifelineTest, LeavesWhatIsDoneInTimeAsItIs) {
  SignalSource signals;
  Ends ends;
  {
    Lifeline lifeline(signals, absl::Hours(1));
    lifeline.Guard(ends.near.get());
    EXPECT_TRUE(lifeline.reason().ok());
    EXPECT_GT(lifeline.left(), absl::Minutes(50));
  }
  EXPECT_EQ(write(ends.far.get(), "x", 1), 1);
  EXPECT_EQ(ends.Read(), 1);
}

}  // namespace
}  // namespace berth::cli
