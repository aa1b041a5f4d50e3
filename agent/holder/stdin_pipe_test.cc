#include "agent/holder/stdin_pipe.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace berth::holder {
namespace {

class StdinPipeTest : public testing::Test {
 protected:
  StdinPipeTest() {
    pipe_ = *StdinPipe::Create(*loop_, reader_, [this] { ++credits_; });
  }

  std::string Read(size_t size) {
    std::string data(size, 0);
    ssize_t got = read(reader_.get(), data.data(), size);
    data.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return data;
  }

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  UniqueFd reader_;
  int credits_ = 0;
  std::unique_ptr<StdinPipe> pipe_;
};

TEST_F(StdinPipeTest, PassesInputOnAndEndsIt) {
  EXPECT_TRUE(pipe_->Write(0, "abc", false).ok());
  EXPECT_TRUE(pipe_->Write(3, "de", true).ok());
  EXPECT_EQ(Read(100), "abcde");
  EXPECT_EQ(Read(100), "");
}

TEST_F(StdinPipeTest, SkipsWhatItHas) {
  EXPECT_TRUE(pipe_->Write(0, "abc", false).ok());
  EXPECT_TRUE(pipe_->Write(0, "abc", false).ok());
  EXPECT_TRUE(pipe_->Write(1, "bcd", false).ok());
  EXPECT_TRUE(pipe_->Write(0, "a", false).ok());
  EXPECT_EQ(Read(100), "abcd");
}

TEST_F(StdinPipeTest, RefusesAGap) {
  EXPECT_TRUE(pipe_->Write(0, "abc", false).ok());
  EXPECT_EQ(pipe_->Write(4, "x", false),
            absl::InvalidArgumentError("input from 3 to 4 is missing"));
}

TEST_F(StdinPipeTest, RefusesInputAfterItsEnd) {
  EXPECT_TRUE(pipe_->Write(0, "abc", true).ok());
  EXPECT_EQ(pipe_->Write(3, "x", false),
            absl::InvalidArgumentError("the input had ended at 3"));
  EXPECT_TRUE(pipe_->Write(0, "abc", true).ok());  // The same again.
}

TEST_F(StdinPipeTest, LimitsWhatIsAhead) {
  EXPECT_EQ(pipe_->limit(), StdinPipe::kWindow);
  std::string all(StdinPipe::kWindow, 'x');
  EXPECT_TRUE(pipe_->Write(0, all, false).ok());
  uint64_t limit = pipe_->limit();
  EXPECT_GT(limit, StdinPipe::kWindow);  // The kernel's pipe took some.
  EXPECT_EQ(credits_, 1);
  std::string more(limit - all.size() + 1, 'y');
  EXPECT_EQ(pipe_->Write(all.size(), more, false).code(),
            absl::StatusCode::kInvalidArgument);
  more.pop_back();
  EXPECT_TRUE(pipe_->Write(all.size(), more, false).ok());
}

TEST_F(StdinPipeTest, LetsTheSenderFinishWhenNobodyReads) {
  reader_.reset();
  uint64_t sent = 0;
  for (int i = 0; i < 20; ++i) {
    std::string part(StdinPipe::kWindow, 'x');
    EXPECT_TRUE(pipe_->Write(sent, part, false).ok());
    sent += part.size();
  }
  EXPECT_EQ(pipe_->limit(), sent + StdinPipe::kWindow);
}

TEST_F(StdinPipeTest, WritesTheRestWhenThereIsRoom) {
  // More than the pipe holds, in odd parts: what is left over goes in order.
  std::string all(2 * StdinPipe::kWindow, 0);
  for (size_t i = 0; i < all.size(); ++i) all[i] = i * 31 >> 7;
  size_t sent = 0;
  const auto send = [&] {
    const size_t part =
        std::min<size_t>({all.size() - sent, pipe_->limit() - sent, 200'001});
    const bool last = sent + part == all.size();
    EXPECT_TRUE(
        pipe_->Write(sent, absl::string_view(all).substr(sent, part), last)
            .ok());
    sent += part;
  };
  while (sent < all.size() && sent < pipe_->limit()) send();
  std::string got;
  loop_->After(absl::Seconds(10), [&] { loop_->Stop(); });
  ASSERT_TRUE(loop_
                  ->Watch(reader_.get(), 1 /* EPOLLIN */,
                          [&](uint32_t) {
                            const std::string part = Read(65536);
                            got += part;
                            if (sent < all.size()) send();
                            if (part.empty()) loop_->Stop();
                          })
                  .ok());
  loop_->Run();
  EXPECT_TRUE(got == all) << got.size() << " of " << all.size();
}

}  // namespace
}  // namespace berth::holder

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);  // As the holder does.
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
