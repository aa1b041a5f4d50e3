#ifndef BERTH_AGENT_SHELL_CONTROL_PACKET_H_
#define BERTH_AGENT_SHELL_CONTROL_PACKET_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/shell/hook/packet.h"

namespace berth::shell {

// A packet of the control channel; see hook/packet.h for what the fields mean.
struct ControlPacket {
  berth_packet_type type = BERTH_RUN;
  uint32_t flags = 0;
  uint64_t id = 0;
  int32_t status = 0;
  int32_t how = 0;
  uint64_t ns = 0;
  std::string text;
};

// As it goes over the channel. Text over BERTH_PACKET_TEXT_MAX is cut off.
std::string EncodePacket(const ControlPacket& packet);

// INVALID_ARGUMENT if it is too short, too long, or of no known type: programs
// in the session can write to the channel if they try, so nothing is assumed.
absl::StatusOr<ControlPacket> DecodePacket(absl::string_view bytes);

}  // namespace berth::shell

#endif  // BERTH_AGENT_SHELL_CONTROL_PACKET_H_
