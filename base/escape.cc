#include "base/escape.h"

#include <stddef.h>
#include <stdint.h>

#include "absl/strings/str_format.h"

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

// The length of the valid UTF-8 sequence at the start of `text`, and which
// character it is; 0 if there is none.
size_t ReadCharacter(absl::string_view text, uint32_t& point) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char first = byte(0);
  point = first;
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 && first <= 0xf4  ? 4
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xc2 && first < 0xe0 ? 2
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  point = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point < 0xe000;
  return point < kSmallest[length] || point > 0x10ffff || surrogate ? 0
                                                                    : length;
}

// The length of the valid, printable UTF-8 sequence at the start of `text`; 0
// if there is none.
size_t PrintableLength(absl::string_view text) {
  uint32_t point = 0;
  const size_t length = ReadCharacter(text, point);
  return ActsOnTerminal(point) ? 0 : length;
}

}  // namespace

bool ActsOnTerminal(uint32_t point) {
  if (point < 0xa0) return point < 0x20 || point >= 0x7f;
  struct Range {
    uint32_t first, last;
  };
  constexpr Range kActing[] = {
      {0x061c, 0x061c},  // Direction of Arabic letters.
      {0x200b, 0x200b},  // A space without width.
      {0x200e, 0x200f},  // Direction marks.
      {0x2028, 0x202e},  // Ends of lines and paragraphs; embeddings, overrides.
      {0x2060, 0x206f},  // Joins and operators nobody sees; isolates.
      {0xfeff, 0xfeff},  // Byte order mark.
      {0xfff9, 0xfffb},  // Annotations.
  };
  for (const Range& range : kActing) {
    if (point <= range.last) return point >= range.first;
  }
  return false;
}

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

std::string EscapeJson(absl::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    uint32_t point = 0;
    const size_t length = ReadCharacter(json, point);
    if (length == 0) {
      out += "\\ufffd";
    } else if (ActsOnTerminal(point)) {
      absl::StrAppendFormat(&out, "\\u%04x", point);
    } else {
      out.append(json.data(), length);
    }
    json.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace berth
