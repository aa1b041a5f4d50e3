#include "agent/screen/sgr.h"

#include <optional>

#include "absl/strings/str_cat.h"

namespace berth::screen {
namespace {

constexpr int kMaxUnderline = 5;

struct Switch {
  int number;
  uint16_t attribute;
};
constexpr Switch kOn[] = {{1, kBold},    {2, kFaint},  {3, kItalic},
                          {5, kBlink},   {6, kBlink},  {7, kReverse},
                          {8, kConceal}, {9, kStrike}, {53, kOverline}};
constexpr Switch kOff[] = {
    {22, kBold | kFaint}, {23, kItalic},  {24, kUnderline}, {25, kBlink},
    {27, kReverse},       {28, kConceal}, {29, kStrike},    {55, kOverline}};

void SetUnderline(Style& style, int kind) {
  if (kind < 0 || kind > kMaxUnderline) return;
  style.attributes = static_cast<uint16_t>((style.attributes & ~kUnderline) |
                                           kind << kUnderlineShift);
}

// Reads what follows 38, 48 or 58 at `at`: "5;n", "2;r;g;b", "5:n", "2:r:g:b"
// or "2:space:r:g:b". Moves `at` to the last one that belongs to it.
std::optional<Color> ReadColor(const Sequence& sequence, size_t& at) {
  bool colons = at + 1 < sequence.count && sequence.parameters[at + 1].sub;
  size_t end = at + 1;
  while (colons && end < sequence.count && sequence.parameters[end].sub) ++end;
  int kind = sequence.Value(at + 1, 0);
  size_t first = at + 2;
  size_t wanted = kind == 5 ? 1 : kind == 2 ? 3 : 0;
  if (colons) {
    if (kind == 2 && end - first >= 4) ++first;  // The colour space.
    at = end - 1;
    if (wanted == 0 || first + wanted > end) return std::nullopt;
  } else {
    if (wanted == 0) return std::nullopt;
    at += 1 + wanted;
    if (first + wanted > sequence.count) return std::nullopt;
  }
  auto value = [&](size_t i) {
    return static_cast<uint32_t>(sequence.Value(first + i, 0));
  };
  if (kind == 5) return IndexedColor(value(0));
  return RgbColor(value(0), value(1), value(2));
}

void AppendColor(Color color, int base, std::string& out) {
  uint32_t value = color & 0xFFFFFF;
  switch (color >> 24) {
    case 0:
      return;
    case 1:
      // The first sixteen as every terminal knows them.
      if (value < 8) return absl::StrAppend(&out, ";", base + value);
      if (value < 16) return absl::StrAppend(&out, ";", base + 52 + value);
      return absl::StrAppend(&out, ";", base + 8, ";5;", value);
    default:
      return absl::StrAppend(&out, ";", base + 8, ";2;", value >> 16, ";",
                             value >> 8 & 255, ";", value & 255);
  }
}

void ApplyNumber(int number, Style& style) {
  for (const Switch& on : kOn) {
    if (on.number == number) style.attributes |= on.attribute;
  }
  for (const Switch& off : kOff) {
    if (off.number == number) {
      style.attributes =
          static_cast<uint16_t>(style.attributes & ~off.attribute);
    }
  }
  auto color = [&](int first) {
    return IndexedColor(static_cast<uint32_t>(number - first));
  };
  if (number >= 30 && number <= 37) style.foreground = color(30);
  if (number >= 40 && number <= 47) style.background = color(40);
  if (number >= 90 && number <= 97) style.foreground = color(90 - 8);
  if (number >= 100 && number <= 107) style.background = color(100 - 8);
  if (number == 39) style.foreground = kDefaultColor;
  if (number == 49) style.background = kDefaultColor;
  if (number == 21) SetUnderline(style, 2);
}

}  // namespace

void ApplySgr(const Sequence& sequence, Style& style) {
  if (sequence.count == 0) style = Style();
  for (size_t i = 0; i < sequence.count; ++i) {
    if (sequence.parameters[i].sub) continue;  // Of something unknown.
    int number = sequence.Value(i, 0);
    if (number == 0) {
      style = Style();
    } else if (number == 4) {
      bool kind = i + 1 < sequence.count && sequence.parameters[i + 1].sub;
      SetUnderline(style, kind ? sequence.Value(i + 1, 1) : 1);
    } else if (number == 38 || number == 48 || number == 58) {
      std::optional<Color> color = ReadColor(sequence, i);
      if (color && number == 38) style.foreground = *color;
      if (color && number == 48) style.background = *color;
    } else {
      ApplyNumber(number, style);
    }
  }
}

void AppendSgr(const Style& style, std::string& out) {
  absl::StrAppend(&out, "\x1b[");
  if (style == Style()) return absl::StrAppend(&out, "m");
  absl::StrAppend(&out, "0");
  for (const Switch& on : kOn) {
    if (on.number != 6 && (style.attributes & on.attribute)) {
      absl::StrAppend(&out, ";", on.number);
    }
  }
  int underline = (style.attributes & kUnderline) >> kUnderlineShift;
  if (underline == 1) absl::StrAppend(&out, ";4");
  if (underline == 2) absl::StrAppend(&out, ";21");
  if (underline > 2) absl::StrAppend(&out, ";4:", underline);
  AppendColor(style.foreground, 30, out);
  AppendColor(style.background, 40, out);
  absl::StrAppend(&out, "m");
}

}  // namespace berth::screen
