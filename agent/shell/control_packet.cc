#include "agent/shell/control_packet.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace berth::shell {
namespace {

bool IsKnown(uint32_t type) {
  switch (type) {
    case BERTH_RUN:
    case BERTH_WITHDRAW:
    case BERTH_ACK:
    case BERTH_INTERRUPT:
    case BERTH_QUERY:
    case BERTH_VISIT:
    case BERTH_HELLO:
    case BERTH_UNUSABLE:
    case BERTH_PROMPT:
    case BERTH_BUSY:
    case BERTH_READY:
    case BERTH_STARTED:
    case BERTH_DONE:
    case BERTH_WITHDRAWN:
    case BERTH_REFUSED:
    case BERTH_EXIT:
      return true;
  }
  return false;
}

}  // namespace

std::string EncodePacket(const ControlPacket& packet) {
  berth_packet header = {};
  header.type = packet.type;
  header.flags = packet.flags;
  header.id = packet.id;
  header.status = packet.status;
  header.how = packet.how;
  header.ns = packet.ns;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes.append(packet.text, 0, BERTH_PACKET_TEXT_MAX);
  return bytes;
}

absl::StatusOr<ControlPacket> DecodePacket(absl::string_view bytes) {
  berth_packet header;
  if (bytes.size() < sizeof(header) ||
      bytes.size() > sizeof(header) + BERTH_PACKET_TEXT_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("a control packet of ", bytes.size(), " bytes"));
  }
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (!IsKnown(header.type)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a control packet of type ", header.type));
  }
  ControlPacket packet;
  packet.type = static_cast<berth_packet_type>(header.type);
  packet.flags = header.flags;
  packet.id = header.id;
  packet.status = header.status;
  packet.how = header.how;
  packet.ns = header.ns;
  packet.text = std::string(bytes.substr(sizeof(header)));
  return packet;
}

}  // namespace berth::shell
