// Packets from a session's shell, which programs in the session can forge.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "absl/strings/string_view.h"
#include "agent/shell/control_packet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto packet = berth::shell::DecodePacket(bytes);
  if (!packet.ok()) return 0;
  // What can be read can be written, and means the same then.
  auto again = berth::shell::DecodePacket(berth::shell::EncodePacket(*packet));
  if (!again.ok() || again->type != packet->type || again->id != packet->id ||
      again->status != packet->status || again->text != packet->text) {
    abort();
  }
  return 0;
}
