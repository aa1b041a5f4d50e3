#include "agent/holder/text.h"

#include <cstdint>

namespace berth::holder {
namespace {

// The length of the valid sequence at the start of `text`; 0 if there is none.
size_t SequenceLength(absl::string_view text) {
  uint8_t first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return 1;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  uint32_t code = first & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    uint8_t next = static_cast<uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    code = code << 6 | (next & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < kSmallest[length] || surrogate || code > 0x10ffff ? 0 : length;
}

}  // namespace

std::string ValidText(absl::string_view text, size_t max) {
  std::string valid;
  while (!text.empty()) {
    size_t length = SequenceLength(text);
    size_t taken = length == 0 ? 1 : length;
    if (valid.size() + taken > max) break;
    if (length == 0) {
      valid.push_back('?');
    } else {
      valid.append(text.data(), length);
    }
    text.remove_prefix(taken);
  }
  return valid;
}

}  // namespace berth::holder
