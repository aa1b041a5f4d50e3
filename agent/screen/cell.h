#ifndef BERTH_AGENT_SCREEN_CELL_H_
#define BERTH_AGENT_SCREEN_CELL_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace berth::screen {

// A colour: 0 is the terminal's own.
using Color = uint32_t;
inline constexpr Color kDefaultColor = 0;
constexpr Color IndexedColor(uint32_t index) {
  return 1u << 24 | (index & 255);
}
constexpr Color RgbColor(uint32_t red, uint32_t green, uint32_t blue) {
  return 2u << 24 | (red & 255) << 16 | (green & 255) << 8 | (blue & 255);
}

// Attributes, as bits.
enum Attribute : uint16_t {
  kBold = 1 << 0,
  kFaint = 1 << 1,
  kItalic = 1 << 2,
  kBlink = 1 << 3,
  kReverse = 1 << 4,
  kConceal = 1 << 5,
  kStrike = 1 << 6,
  kOverline = 1 << 7,
  kUnderline = 7 << 8,  // Three bits: none, single, double, curly, ...
  // Of a cell and not of its style: the left and right half of a character
  // that is two columns wide.
  kWide = 1 << 14,
  kRightHalf = 1 << 15,
};
inline constexpr int kUnderlineShift = 8;
inline constexpr uint16_t kStyleMask = kWide - 1;

struct Style {
  Color foreground = kDefaultColor;
  Color background = kDefaultColor;
  uint16_t attributes = 0;

  bool operator==(const Style&) const = default;
};

// One place of a screen.
struct Cell {
  // Marks that join one character; more are dropped.
  static constexpr size_t kMaxMarks = 3;

  char32_t code = 0;  // 0: nothing was written here.
  Color foreground = kDefaultColor;
  Color background = kDefaultColor;
  uint16_t attributes = 0;
  std::array<uint16_t, kMaxMarks> marks = {};

  Style style() const {
    return {foreground, background,
            static_cast<uint16_t>(attributes & kStyleMask)};
  }
  bool wide() const { return (attributes & kWide) != 0; }
  bool right_half() const { return (attributes & kRightHalf) != 0; }
  bool operator==(const Cell&) const = default;
};

// Where nothing is written, but which was erased in a colour.
inline Cell BlankCell(Color background) {
  Cell cell;
  cell.background = background;
  return cell;
}

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_CELL_H_
