#ifndef BERTH_AGENT_SCREEN_LINE_TEXT_H_
#define BERTH_AGENT_SCREEN_LINE_TEXT_H_

#include <cstddef>
#include <string>

#include "agent/screen/cell.h"
#include "agent/screen/line.h"

namespace berth::screen {

// Appends a code point as UTF-8.
void AppendUtf8(char32_t c, std::string& out);

// Appends one character with its marks; a blank for nothing.
void AppendCell(const Cell& cell, std::string& out);

// Appends what prints `line`, which has `columns`, from and to the terminal's
// default style. Returns how many columns that fills.
size_t AppendLine(const Line& line, size_t columns, std::string& out);

// Whether a terminal comes to `next` by itself and leaves it as it is, when
// what prints `next` follows a full line: its first column is written, and not
// in a colour, which the terminal would fill the new line with.
bool MayWrapTo(const Line& next);

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_LINE_TEXT_H_
