// Selectors, names and the escaping of text: what a user or a peer typed.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>

#include "absl/strings/string_view.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/selector.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  auto selector = berth::ParseSelector(text);
  if (selector.ok()) {
    // What was taken for a literal id or name must at least match itself.
    const bool self = selector->Matches(selector->first, text,
                                        "9f0c11aa-1b2c-4d5e-8f90-0123456789ab");
    if (!self) abort();
  }
  // Nothing that could act on a terminal gets through.
  for (unsigned char c : berth::EscapeForTerminal(text)) {
    if (c < 0x20 || c == 0x7f) abort();
  }
  berth::MatchesWildcard(text.substr(0, size / 2), text.substr(size / 2));
  return 0;
}
