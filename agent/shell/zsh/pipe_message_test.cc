#include "agent/shell/zsh/pipe_message.h"

#include <gtest/gtest.h>

#include <string>

namespace berth::shell {
namespace {

TEST(PipeMessageTest, RequestIsALine) {
  ControlPacket packet;
  packet.type = BERTH_INTERRUPT;
  packet.flags = 1;
  packet.id = 17;
  EXPECT_EQ(EncodePipeMessage(packet, 42, {}), "I 1 17\n");
}

TEST(PipeMessageTest, RunSaysWhereItsDescriptorsAre) {
  ControlPacket packet;
  packet.id = uint64_t{1} << 61;
  EXPECT_EQ(EncodePipeMessage(packet, 42, {5, 6, 7, 8}),
            "R 0 2305843009213693952 42 5 6 7 8\n");
}

TEST(PipeMessageTest, AnswerIsDecoded) {
  auto packet = DecodePipeMessage("D 0 17 130 2 /a b\n c");
  ASSERT_TRUE(packet.ok()) << packet.status();
  EXPECT_EQ(packet->type, BERTH_DONE);
  EXPECT_EQ(packet->id, 17u);
  EXPECT_EQ(packet->status, 130);
  EXPECT_EQ(packet->how, BERTH_HOW_DISCARD);
  EXPECT_EQ(packet->text, "/a b\n c");
}

TEST(PipeMessageTest, TextMayBeMissing) {
  auto packet = DecodePipeMessage("H 0 0 0 0");
  ASSERT_TRUE(packet.ok()) << packet.status();
  EXPECT_EQ(packet->text, "");
}

TEST(PipeMessageTest, AnythingElseIsRefused) {
  const std::string messages[] = {"",
                                  " ",
                                  "H",
                                  "D 0 17 130",
                                  "R 0 17 0 0",  // Only the holder says that.
                                  "? 0 0 0 0",
                                  "DD 0 0 0 0",
                                  "D 0 -1 0 0",
                                  "D 0 18446744073709551616 0 0",
                                  "D 0 1 x 0",
                                  "D 0 1 4294967296 0",
                                  std::string("\0 0 0 0 0", 9)};
  for (const std::string& message : messages) {
    EXPECT_EQ(DecodePipeMessage(message).status().code(),
              absl::StatusCode::kInvalidArgument)
        << message;
  }
}

}  // namespace
}  // namespace berth::shell
