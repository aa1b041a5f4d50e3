#include "agent/link/frames.h"

#include <cstring>
#include <string>

#include "base/proto_time.h"
#include "gtest/gtest.h"

namespace berth::agent {
namespace {

TEST(OutputFrameTest, IsTheMessageThatProtobufWouldMake) {
  for (const size_t length :
       {size_t{1}, size_t{127}, size_t{128}, size_t{20'000}, kMaxOutputBytes}) {
    OutputFrame frame(kMaxOutputBytes);
    const std::string data(length, 'x');
    std::memcpy(frame.buffer().data(), data.data(), length);
    const int64_t time_ns = 1'700'000'000'123'456'789;
    const grpc::ByteBuffer made =
        frame.Finish(uint64_t{1} << 40, Stream::kStderr, time_ns, length);
    v1::CommandEvent event;
    ASSERT_TRUE(ParseFrame(made, event)) << length;
    EXPECT_EQ(event.output().offset(), uint64_t{1} << 40);
    EXPECT_EQ(event.output().stream(), v1::OUTPUT_STREAM_STDERR);
    EXPECT_EQ(FromProto(event.output().at()), absl::FromUnixNanos(time_ns));
    EXPECT_EQ(event.output().data(), data);
    EXPECT_EQ(made.Length(), event.ByteSizeLong());
  }
}

TEST(FrameTest, GoesThereAndBack) {
  v1::RunRequest request;
  request.mutable_start()->set_script("true");
  v1::RunRequest parsed;
  ASSERT_TRUE(ParseFrame(ToFrame(request), parsed));
  EXPECT_EQ(parsed.start().script(), "true");
}

TEST(FrameTest, NoiseIsNoMessage) {
  const grpc::Slice noise(std::string("\xff\xff\xff\xff\x07"));
  v1::RunRequest parsed;
  EXPECT_FALSE(ParseFrame(grpc::ByteBuffer(&noise, 1), parsed));
}

}  // namespace
}  // namespace berth::agent
