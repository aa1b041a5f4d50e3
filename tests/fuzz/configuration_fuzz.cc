// agent.toml, the files of configurations, and the file of choices: what an
// administrator may have damaged.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/string_view.h"
#include "agent/sessions/config.h"
#include "agent/sessions/configuration.h"
#include "agent/sessions/configuration_text.h"
#include "agent/sessions/configurations.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  berth::agent::ParseConfig(text, "agent.toml").IgnoreError();
  berth::agent::ParseChoices(text, "choices").IgnoreError();
  const auto one = berth::agent::ParseConfiguration(text, "x.toml");
  if (!one.ok()) return 0;
  // What was taken can be written, and taken again.
  const std::string written = berth::agent::ConfigurationText(*one);
  const auto again = berth::agent::ParseConfiguration(written, "y.toml");
  if (!again.ok() || berth::agent::ConfigurationText(*again) != written) {
    abort();
  }
  return 0;
}
