// broker.toml as an administrator may have damaged it.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/string_view.h"
#include "broker/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = berth::broker::ParseConfig(text, "broker.toml");
  if (!config.ok()) return 0;
  // What was taken can be written, and taken again.
  const std::string written = berth::broker::FormatConfig(*config);
  const auto again = berth::broker::ParseConfig(written, "again.toml");
  if (!again.ok() || berth::broker::FormatConfig(*again) != written) abort();
  return 0;
}
