#include "agent/shell/zsh/pipe_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace berth::shell {
namespace {

class PipeChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto channel = PipeChannel::Open(requests_, answers_);
    ASSERT_TRUE(channel.ok()) << channel.status();
    channel_ = *std::move(channel);
  }

  void Say(const std::string& bytes) {
    ASSERT_EQ(write(answers_.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }

  std::string Read() {
    char bytes[4096];
    ssize_t length = read(requests_.get(), bytes, sizeof(bytes));
    return std::string(bytes, length > 0 ? static_cast<size_t>(length) : 0);
  }

  std::optional<ControlPacket> Receive() {
    auto packet = channel_->Receive();
    EXPECT_TRUE(packet.ok()) << packet.status();
    return packet.ok() ? *packet : std::nullopt;
  }

  UniqueFd requests_;
  UniqueFd answers_;
  std::unique_ptr<PipeChannel> channel_;
};

TEST_F(PipeChannelTest, AnswersComeInWhateverPieces) {
  EXPECT_FALSE(Receive());
  Say("H 0 0 0");
  EXPECT_FALSE(Receive());
  Say(std::string(" 0\0P 0 0 0 0 /x\0B 0", 19));
  auto hello = Receive();
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->type, BERTH_HELLO);
  auto prompt = Receive();
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->text, "/x");
  EXPECT_FALSE(Receive());
  EXPECT_TRUE(channel_->is_open());
}

TEST_F(PipeChannelTest, WhatIsNoMessageIsSkipped) {
  Say(std::string("nonsense\0H 0 0 0 0\0", 19));
  EXPECT_FALSE(channel_->Receive().ok());
  EXPECT_TRUE(Receive());
}

TEST_F(PipeChannelTest, MessageWithoutAnEndIsNotKept) {
  std::string endless(16384, 'x');
  Say(endless);
  EXPECT_FALSE(channel_->Receive().ok());
  EXPECT_TRUE(channel_->is_open());
}

TEST_F(PipeChannelTest, DescriptorsStayOpenUntilTheShellHasThem) {
  int pipe[2];
  ASSERT_EQ(pipe2(pipe, O_CLOEXEC | O_NONBLOCK), 0);
  UniqueFd reader(pipe[0]);
  UniqueFd writer(pipe[1]);
  ControlPacket run;
  run.id = 3;
  ASSERT_TRUE(channel_->Send(run, {writer.get()}).ok());
  writer.reset();
  char byte;
  EXPECT_EQ(read(reader.get(), &byte, 1), -1);  // There is a writer.
  int pid = 0;
  int fd = -1;
  ASSERT_EQ(sscanf(Read().c_str(), "R 0 3 %d %d\n", &pid, &fd), 2);
  EXPECT_EQ(pid, getpid());
  EXPECT_GE(fcntl(fd, F_GETFD), 0);
  Say(std::string("S 0 3 0 0\0", 10));
  ASSERT_TRUE(Receive());
  EXPECT_EQ(read(reader.get(), &byte, 1), 0);  // There is none.
}

TEST_F(PipeChannelTest, FullPipeIsAnErrorAndNotAWait) {
  absl::Status status;
  ControlPacket query;
  query.type = BERTH_QUERY;
  for (int i = 0; i < 100000 && status.ok(); ++i)
    status = channel_->Send(query);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

TEST_F(PipeChannelTest, EndOfTheShellIsTheEndOfTheChannel) {
  Say(std::string("H 0 0 0 0\0", 10));
  answers_.reset();
  EXPECT_TRUE(Receive());
  EXPECT_FALSE(Receive());
  EXPECT_FALSE(channel_->is_open());
  EXPECT_EQ(channel_->fd(), -1);
  EXPECT_EQ(channel_->Send(ControlPacket()).code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace berth::shell
