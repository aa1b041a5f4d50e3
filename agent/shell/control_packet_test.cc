#include "agent/shell/control_packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::shell {
namespace {

TEST(ControlPacketTest, DecodesWhatWasEncoded) {
  ControlPacket packet;
  packet.type = BERTH_DONE;
  packet.flags = 3;
  packet.id = 1ull << 40;
  packet.status = 130;
  packet.how = BERTH_HOW_DISCARD;
  packet.ns = 123456789;
  packet.text = "/home/ä b";
  absl::StatusOr<ControlPacket> got = DecodePacket(EncodePacket(packet));
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->type, BERTH_DONE);
  EXPECT_EQ(got->flags, 3u);
  EXPECT_EQ(got->id, 1ull << 40);
  EXPECT_EQ(got->status, 130);
  EXPECT_EQ(got->how, BERTH_HOW_DISCARD);
  EXPECT_EQ(got->ns, 123456789u);
  EXPECT_EQ(got->text, "/home/ä b");
}

TEST(ControlPacketTest, CutsLongTextOff) {
  ControlPacket packet;
  packet.text.assign(BERTH_PACKET_TEXT_MAX + 1, 'x');
  absl::StatusOr<ControlPacket> got = DecodePacket(EncodePacket(packet));
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->text.size(), size_t{BERTH_PACKET_TEXT_MAX});
}

TEST(ControlPacketTest, RefusesOneThatIsTooShort) {
  std::string bytes = EncodePacket({});
  bytes.pop_back();
  EXPECT_EQ(DecodePacket(bytes).status(),
            absl::InvalidArgumentError("a control packet of 31 bytes"));
}

TEST(ControlPacketTest, RefusesOneThatIsTooLong) {
  std::string bytes = EncodePacket({});
  bytes.append(BERTH_PACKET_TEXT_MAX + 1, 'x');
  EXPECT_EQ(DecodePacket(bytes).status(),
            absl::InvalidArgumentError("a control packet of 4129 bytes"));
}

TEST(ControlPacketTest, RefusesAnUnknownType) {
  ControlPacket packet;
  packet.type = static_cast<berth_packet_type>(7);
  EXPECT_EQ(DecodePacket(EncodePacket(packet)).status(),
            absl::InvalidArgumentError("a control packet of type 7"));
}

}  // namespace
}  // namespace berth::shell
