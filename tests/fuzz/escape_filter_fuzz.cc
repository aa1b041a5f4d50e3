// What is typed at a terminal: however it is cut, the same passes and the same
// is asked, and nothing is lost but escapes.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/terminal/escape_filter.h"
#include "cli/terminal/overlay.h"

namespace {

struct Passed {
  std::string typed;
  std::vector<berth::cli::Escape> asked;

  bool operator==(const Passed&) const = default;
};

void Pass(berth::cli::EscapeFilter& filter, absl::string_view input,
          Passed& passed) {
  while (!input.empty()) {
    const berth::cli::EscapeFilter::Result result = filter.Take(input);
    if (result.used == 0 || result.used > input.size()) abort();
    passed.typed += result.typed;
    if (result.escape != berth::cli::Escape::kNone) {
      passed.asked.push_back(result.escape);
    }
    input.remove_prefix(result.used);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  berth::cli::EscapeFilter whole('~');
  Passed at_once;
  Pass(whole, input, at_once);
  berth::cli::EscapeFilter cut('~');
  Passed key_by_key;
  for (size_t i = 0; i < size; ++i) Pass(cut, input.substr(i, 1), key_by_key);
  if (!(at_once == key_by_key)) abort();
  // An escape takes two keys, a doubled character one; one may be held back.
  const size_t gone = size - at_once.typed.size();
  if (at_once.typed.size() > size || gone < 2 * at_once.asked.size()) abort();
  berth::cli::EscapeFilter none(std::nullopt);
  Passed all;
  Pass(none, input, all);
  if (all.typed != input) abort();
  berth::cli::ScreenTracker tracker;
  tracker.Saw(input);
  return 0;
}
