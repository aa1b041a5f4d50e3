#include "base/escape.h"

#include <stddef.h>
#include <stdint.h>

namespace berth {
namespace {

void AppendEscaped(unsigned char byte, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  if (byte == '\n') {
    out += "\\n";
  } else if (byte == '\t') {
    out += "\\t";
  } else {
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

// The length of the valid, printable UTF-8 sequence at the start of `text`; 0
// if there is none.
size_t PrintableLength(absl::string_view text) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char first = byte(0);
  if (first >= 0x20 && first < 0x7f) return 1;
  size_t length = first >= 0xf0 && first <= 0xf4  ? 4
                  : first >= 0xe0 && first < 0xf0 ? 3
                  : first >= 0xc2 && first < 0xe0 ? 2
                                                  : 0;
  if (length == 0 || text.size() < length) return 0;
  uint32_t point = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point < 0xe000;
  // Marks that turn the direction of text can make one line look like another.
  const bool turns = (point >= 0x202a && point <= 0x202e) ||
                     (point >= 0x2066 && point <= 0x2069);
  if (point < kSmallest[length] || point > 0x10ffff || point < 0xa0 ||
      surrogate || turns) {
    return 0;
  }
  return length;
}

}  // namespace

std::string EscapeForTerminal(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = PrintableLength(text);
    if (length > 0) {
      out.append(text.data(), length);
      text.remove_prefix(length);
    } else {
      AppendEscaped(static_cast<unsigned char>(text[0]), out);
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace berth
