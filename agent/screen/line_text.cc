#include "agent/screen/line_text.h"

#include "absl/strings/str_cat.h"
#include "agent/screen/sgr.h"

namespace berth::screen {

void AppendUtf8(char32_t c, std::string& out) {
  auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  auto follow = [&](int shift) { put(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    follow(0);
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    follow(6);
    follow(0);
  } else {
    put(0xF0 | c >> 18);
    follow(12);
    follow(6);
    follow(0);
  }
}

void AppendCell(const Cell& cell, std::string& out) {
  AppendUtf8(cell.code == 0 ? U' ' : cell.code, out);
  for (uint16_t mark : cell.marks) {
    if (mark != 0) AppendUtf8(mark, out);
  }
}

size_t AppendLine(const Line& line, size_t columns, std::string& out) {
  const size_t end = line.End(columns);
  Style style;
  size_t skipped = 0;
  for (size_t column = 0; column < end; ++column) {
    const Cell& cell = line.at(column);
    if (cell.right_half()) continue;
    if (cell == Cell()) {
      ++skipped;
      continue;
    }
    // Not written is not the same as blank, once the size changes.
    if (skipped > 0) absl::StrAppend(&out, "\x1b[", skipped, "C");
    skipped = 0;
    if (cell.style() != style) {
      style = cell.style();
      AppendSgr(style, out);
    }
    AppendCell(cell, out);
  }
  if (style != Style()) AppendSgr(Style(), out);
  return end;
}

bool MayWrapTo(const Line& next) {
  return next.at(0).code != 0 && next.at(0).background == kDefaultColor;
}

}  // namespace berth::screen
