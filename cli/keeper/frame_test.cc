#include "cli/keeper/frame.h"

#include <random>

#include "cli/keeper/invoke.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace berth::cli {
namespace {

TEST(FrameTest, ComesBackHoweverItIsCut) {
  const std::string stream = EncodeFrame("hello") + EncodeFrame("") +
                             EncodeFrame(std::string(300, 'x'));
  for (size_t step = 1; step < stream.size(); step += 7) {
    FrameDecoder decoder;
    std::vector<std::string> frames;
    for (size_t at = 0; at < stream.size(); at += step) {
      decoder.Add(absl::string_view(stream).substr(at, step));
      for (;;) {
        const auto frame = decoder.Next();
        ASSERT_TRUE(frame.ok());
        if (!*frame) break;
        frames.push_back(**frame);
      }
    }
    EXPECT_THAT(frames,
                testing::ElementsAre("hello", "", std::string(300, 'x')));
  }
}

TEST(FrameTest, RefusesWhatIsTooLong) {
  FrameDecoder decoder;
  decoder.Add(absl::string_view("\x01\x00\x40\x01 more", 9));
  const auto frame = decoder.Next();
  ASSERT_TRUE(absl::IsInvalidArgument(frame.status()));
  EXPECT_THAT(std::string(frame.status().message()),
              testing::HasSubstr("at most 4194304"));
}

TEST(FrameTest, GarbageNeverParsesOutOfBounds) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    FrameDecoder decoder;
    std::string garbage(random() % 64, '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    decoder.Add(garbage);
    for (int k = 0; k < 10; ++k) {
      const auto frame = decoder.Next();
      if (!frame.ok() || !*frame) break;
      keeper::ClientMessage message;
      (void)message.ParseFromString(**frame);
    }
  }
}

TEST(InvokeTest, CarriesBytesThatAreNotText) {
  Invocation::Params params;
  params.args = {"run", std::string("\xff\0x", 3), ""};
  params.cwd = "/tmp/\xe4";
  params.environment.Set("BERTH_CONTEXT", "caf\xe9");
  keeper::ClientMessage message;
  *message.mutable_invoke() = ToInvoke(params);
  keeper::ClientMessage parsed;
  ASSERT_TRUE(parsed.ParseFromString(message.SerializeAsString()));
  const Invocation::Params back = ToParams(parsed.invoke());
  EXPECT_EQ(back.args, params.args);
  EXPECT_EQ(back.cwd, params.cwd);
  EXPECT_EQ(back.environment.Get("BERTH_CONTEXT"), "caf\xe9");
}

}  // namespace
}  // namespace berth::cli
