// The hand-written reading of an output event against Protobuf's: where both
// say yes, they must agree on everything. (The fast way does not look into the
// time stamp, so it takes events that Protobuf refuses.)

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <algorithm>

#include "absl/strings/string_view.h"
#include "cli/client/output_prefix.h"
#include "proto/berth/v1/sessions.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view all(reinterpret_cast<const char*>(data), size);
  const auto prefix = berth::cli::ParseOutputPrefix(
      all.substr(0, std::min(size, berth::cli::kMaxOutputPrefix)), size);
  if (!prefix.has_value()) return 0;
  berth::v1::CommandEvent event;
  if (!event.ParseFromArray(data, static_cast<int>(size))) return 0;
  if (!event.has_output() || event.output().offset() != prefix->offset ||
      static_cast<int>(event.output().stream()) != prefix->stream ||
      event.output().data() != all.substr(prefix->size)) {
    abort();
  }
  return 0;
}
