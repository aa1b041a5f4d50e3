#include "cli/invocation/output.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "cli/invocation/input.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
  UniqueFd read_end;
  UniqueFd write_end;
};

TEST(OutputTest, WritesEveryByteToASlowReader) {
  Pipe pipe;
  std::string got;
  std::thread reader([&] {
    char buffer[1000];
    for (ssize_t n; (n = read(pipe.read_end.get(), buffer, 1000)) > 0;) {
      got.append(buffer, n);
    }
  });
  std::string want;
  for (int i = 0; i < 300000; ++i) want += static_cast<char>(i * 7);
  {
    SignalSource signals;
    Output output(pipe.write_end.get(), signals);
    iovec pieces[] = {{want.data(), 100000},
                      {want.data() + 100000, 0},
                      {want.data() + 100000, 200000}};
    const Output::Result result = output.Write(absl::MakeSpan(pieces));
    EXPECT_TRUE(result.status.ok());
    EXPECT_EQ(result.written, want.size());
  }
  // The user's own flags are as they were.
  EXPECT_EQ(fcntl(pipe.write_end.get(), F_GETFL) & O_NONBLOCK, 0);
  pipe.write_end.reset();
  reader.join();
  EXPECT_EQ(got, want);
}

TEST(OutputTest, LeavesAReaderThatNeverReads) {
  Pipe pipe;
  SignalSource signals;
  Output output(pipe.write_end.get(), signals);
  std::thread leaver([&] { signals.Post(Signal::kGone); });
  std::string data(4 << 20, 'x');
  iovec piece = {data.data(), data.size()};
  const Output::Result result = output.Write(absl::MakeSpan(&piece, 1));
  leaver.join();
  EXPECT_TRUE(absl::IsCancelled(result.status)) << result.status;
  // What it says was written is in the pipe, to the byte.
  pipe.write_end.reset();
  size_t in_pipe = 0;
  char buffer[65536];
  fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);
  for (ssize_t n; (n = read(pipe.read_end.get(), buffer, 65536)) > 0;) {
    in_pipe += n;
  }
  EXPECT_EQ(result.written, in_pipe);
}

TEST(OutputTest, TellsThatTheReaderIsGone) {
  signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  SignalSource signals;
  Output output(pipe.write_end.get(), signals);
  EXPECT_TRUE(output.Write("x").ok());
  pipe.read_end.reset();
  EXPECT_TRUE(absl::IsAborted(output.Write("x")));
}

TEST(OutputTest, TellsThatTheDiskIsFull) {
  UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  SignalSource signals;
  Output output(full.get(), signals);
  const absl::Status status = output.Write("x");
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("No space left"), absl::string_view::npos);
}

TEST(InputTest, KnowsWhatHasData) {
  Pipe pipe;
  UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  UniqueFd terminal(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  EXPECT_TRUE(Input(pipe.read_end.get()).HasData());
  EXPECT_TRUE(Input(file.get()).HasData());
  EXPECT_FALSE(Input(null.get()).HasData());
  EXPECT_FALSE(Input(terminal.get()).HasData());
  EXPECT_FALSE(Input(-1).HasData());
}

TEST(SignalSourceTest, TheFirstInterruptMayBeForwarded) {
  SignalSource signals;
  signals.ForwardInterrupts();
  int calls = 0;
  SignalSource::Watch watch(signals, [&](bool) { ++calls; });
  signals.Post(Signal::kInterrupt);
  EXPECT_FALSE(signals.left());
  EXPECT_EQ(signals.interrupts(), 1);
  signals.Post(Signal::kInterrupt);
  EXPECT_TRUE(signals.left());
  EXPECT_EQ(signals.exit_code(), 130);
  signals.Post(Signal::kTerminate);
  EXPECT_EQ(signals.exit_code(), 130);
  EXPECT_EQ(calls, 3);
}

TEST(SignalSourceTest, ALateWatchIsToldAtOnce) {
  SignalSource signals;
  signals.Post(Signal::kTerminate);
  bool told = false;
  SignalSource::Watch watch(signals, [&](bool left) { told = left; });
  EXPECT_TRUE(told);
  EXPECT_EQ(signals.exit_code(), 143);
}

}  // namespace
}  // namespace berth::cli
