#include "base/uuid.h"

#include <stddef.h>
#include <sys/random.h>

namespace berth {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool IsDash(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

std::string NewUuid() {
  unsigned char raw[16];
  // Up to 256 bytes can't be cut short once the kernel's generator is seeded.
  while (getrandom(raw, sizeof raw, 0) != sizeof raw) {
  }
  raw[6] = (raw[6] & 0x0f) | 0x40;
  raw[8] = (raw[8] & 0x3f) | 0x80;
  std::string text;
  for (size_t i = 0; i < sizeof raw; ++i) {
    if (IsDash(text.size())) text += '-';
    text += kHex[raw[i] >> 4];
    text += kHex[raw[i] & 15];
  }
  return text;
}

bool IsUuid(absl::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (IsDash(i) ? c != '-' : !hex) return false;
  }
  return true;
}

}  // namespace berth
