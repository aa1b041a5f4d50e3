#include "agent/screen/terminal_screen.h"

#include <algorithm>
#include <utility>

#include "agent/screen/character_width.h"
#include "agent/screen/line_text.h"

namespace berth::screen {
namespace {

constexpr size_t kTabWidth = 8;
constexpr size_t kMaxTitle = 1024;
constexpr char32_t kReplacement = 0xFFFD;

// What '_' to '~' are in the set of line drawing.
constexpr char32_t kGraphics[] = {
    0x00A0, 0x25C6, 0x2592, 0x2409, 0x240C, 0x240D, 0x240A, 0x00B0,
    0x00B1, 0x2424, 0x240B, 0x2518, 0x2510, 0x250C, 0x2514, 0x253C,
    0x23BA, 0x23BB, 0x2500, 0x23BC, 0x23BD, 0x251C, 0x2524, 0x2534,
    0x252C, 0x2502, 0x2264, 0x2265, 0x03C0, 0x2260, 0x00A3, 0x00B7};

}  // namespace

TerminalScreen::TerminalScreen(size_t rows, size_t columns)
    : parser_(*this),
      rows_(std::clamp<size_t>(rows, 1, kMaxRows)),
      columns_(std::clamp<size_t>(columns, 1, kMaxColumns)),
      bottom_(rows_ - 1) {
  main_.lines.resize(rows_);
  alternate_buffer_.lines.resize(rows_);
  ResetTabs(0);
}

std::vector<std::string> TerminalScreen::Text() const {
  std::vector<std::string> text;
  for (const Line& line : Active().lines) {
    std::string& out = text.emplace_back();
    for (size_t column = 0; column < line.End(columns_); ++column) {
      if (!line.at(column).right_half()) AppendCell(line.at(column), out);
    }
    out.erase(out.find_last_not_of(' ') + 1);
  }
  return text;
}

// ---- Characters ----

char32_t TerminalScreen::Translate(char32_t c) const {
  bool translated = cursor_.graphics[cursor_.shift] && c >= '_' && c <= '~';
  return translated ? kGraphics[c - '_'] : c;
}

void TerminalScreen::Print(char32_t c) {
  c = Translate(c);
  int width = CharacterWidth(c);
  if (width == 0) return Join(c);
  last_printed_ = c;
  if (static_cast<size_t>(width) > columns_) return Put(kReplacement, 1);
  Put(c, static_cast<size_t>(width));
}

void TerminalScreen::Put(char32_t c, size_t width) {
  bool fits = cursor_.column + width <= columns_;
  if (modes_.autowrap() && (cursor_.wraps || !fits)) {
    CurrentLine().set_wrapped(true);
    LineFeed();
    cursor_.column = 0;
  } else if (!fits) {
    cursor_.column = columns_ - width;
  }
  cursor_.wraps = false;
  Line& line = CurrentLine();
  if (modes_.insert()) {
    line.Insert(cursor_.column, width, columns_, kDefaultColor);
  }
  Cell cell;
  cell.code = c;
  cell.foreground = cursor_.style.foreground;
  cell.background = cursor_.style.background;
  cell.attributes = cursor_.style.attributes;
  if (width == 2) cell.attributes |= kWide;
  line.Put(cursor_.column, cell);
  cursor_.column += width;
  if (cursor_.column < columns_) return;
  cursor_.column = columns_ - 1;
  cursor_.wraps = modes_.autowrap();
}

void TerminalScreen::Join(char32_t mark) {
  if (cursor_.wraps) return CurrentLine().AddMark(cursor_.column, mark);
  if (cursor_.column > 0) CurrentLine().AddMark(cursor_.column - 1, mark);
}

void TerminalScreen::Control(char c) {
  last_printed_ = 0;
  switch (c) {
    case '\b':
      return MoveLeft(1);
    case '\t':
      return Tab(1);
    case '\n':
    case '\v':
    case '\f':
      LineFeed();
      if (modes_.newline()) cursor_.column = 0;
      return;
    case '\r':
      return MoveTo(cursor_.row, 0);
    case 0x0E:
      cursor_.shift = 1;
      return;
    case 0x0F:
      cursor_.shift = 0;
      return;
    default:
      return;
  }
}

void TerminalScreen::Osc(absl::string_view text) {
  last_printed_ = 0;
  if (text.size() < 2 || text[1] != ';') return;
  if (text[0] != '0' && text[0] != '2') return;
  title_ = std::string(text.substr(2, kMaxTitle));
  has_title_ = true;
}

void TerminalScreen::ShowAlternate(bool alternate) {
  if (alternate == alternate_) return;
  alternate_ = alternate;
  // There is nothing to come back to on it.
  alternate_buffer_.lines.assign(rows_, Line(background()));
  alternate_buffer_.saved = Cursor();
}

// ---- Moving ----

void TerminalScreen::MoveTo(size_t row, size_t column) {
  cursor_.row = std::min(row, rows_ - 1);
  cursor_.column = std::min(column, columns_ - 1);
  cursor_.wraps = false;
}

void TerminalScreen::GoTo(size_t row, size_t column) {
  if (modes_.origin()) row = std::min(top_ + row, bottom_);
  MoveTo(row, column);
}

void TerminalScreen::MoveUp(size_t count) {
  size_t limit = cursor_.row >= top_ ? top_ : 0;
  MoveTo(std::max(limit, cursor_.row - std::min(cursor_.row, count)),
         cursor_.column);
}

void TerminalScreen::MoveDown(size_t count) {
  size_t limit = cursor_.row <= bottom_ ? bottom_ : rows_ - 1;
  MoveTo(std::min(limit, cursor_.row + count), cursor_.column);
}

void TerminalScreen::MoveLeft(size_t count) {
  MoveTo(cursor_.row, cursor_.column - std::min(cursor_.column, count));
}

void TerminalScreen::MoveRight(size_t count) {
  MoveTo(cursor_.row, cursor_.column + count);
}

void TerminalScreen::LineFeed() {
  cursor_.wraps = false;
  if (cursor_.row == bottom_) return ScrollUp(top_, 1, true);
  if (cursor_.row < rows_ - 1) ++cursor_.row;
}

void TerminalScreen::ReverseLineFeed() {
  cursor_.wraps = false;
  if (cursor_.row == top_) return ScrollDown(top_, 1);
  if (cursor_.row > 0) --cursor_.row;
}

void TerminalScreen::Tab(size_t count) {
  size_t column = cursor_.column;
  for (; count > 0 && column < columns_ - 1; --count) {
    do {
      ++column;
    } while (column < columns_ - 1 && !tabs_[column]);
  }
  MoveTo(cursor_.row, column);
}

void TerminalScreen::BackTab(size_t count) {
  size_t column = cursor_.column;
  for (; count > 0 && column > 0; --count) {
    do {
      --column;
    } while (column > 0 && !tabs_[column]);
  }
  MoveTo(cursor_.row, column);
}

void TerminalScreen::ResetTabs(size_t from) {
  tabs_.resize(columns_);
  for (size_t i = from; i < columns_; ++i) {
    tabs_[i] = i > 0 && i % kTabWidth == 0;
  }
}

void TerminalScreen::SaveCursor() {
  Cursor& saved = Active().saved;
  saved = cursor_;
  saved.wraps = false;
  saved.origin = modes_.origin();
}

void TerminalScreen::RestoreCursor() {
  cursor_ = Active().saved;
  modes_.Set(true, 6, cursor_.origin);
  size_t row = cursor_.row;
  if (modes_.origin()) row = std::clamp(row, top_, bottom_);
  MoveTo(row, cursor_.column);
}

// ---- Changing what is there ----

void TerminalScreen::Remember(const Line& line) {
  Scrollback::Entry entry;
  size_t width = AppendLine(line, columns_, entry.text);
  entry.wrapped = line.wrapped() && width == columns_;
  entry.follows = MayWrapTo(line);
  scrollback_.Push(std::move(entry));
}

void TerminalScreen::ScrollUp(size_t top, size_t count, bool remember) {
  auto& lines = Active().lines;
  count = std::min(count, bottom_ - top + 1);
  auto first = lines.begin() + static_cast<ptrdiff_t>(top);
  auto last = lines.begin() + static_cast<ptrdiff_t>(bottom_) + 1;
  auto kept = first + static_cast<ptrdiff_t>(count);
  if (remember && top == 0 && !alternate_) {
    for (auto line = first; line != kept; ++line) Remember(*line);
  }
  std::rotate(first, kept, last);
  std::fill(last - static_cast<ptrdiff_t>(count), last, Line(background()));
}

void TerminalScreen::ScrollDown(size_t top, size_t count) {
  auto& lines = Active().lines;
  count = std::min(count, bottom_ - top + 1);
  auto first = lines.begin() + static_cast<ptrdiff_t>(top);
  auto last = lines.begin() + static_cast<ptrdiff_t>(bottom_) + 1;
  std::rotate(first, last - static_cast<ptrdiff_t>(count), last);
  std::fill(first, first + static_cast<ptrdiff_t>(count), Line(background()));
}

void TerminalScreen::EraseRows(size_t from, size_t to) {
  for (size_t row = from; row < to; ++row)
    Active().lines[row] = Line(background());
}

void TerminalScreen::EraseDisplay(int what) {
  if (what == 0) {
    EraseLine(0);
    EraseRows(cursor_.row + 1, rows_);
  } else if (what == 1) {
    EraseRows(0, cursor_.row);
    EraseLine(1);
  } else if (what == 2) {
    EraseRows(0, rows_);
  } else if (what == 3) {
    scrollback_.Clear();
  }
}

void TerminalScreen::EraseLine(int what) {
  cursor_.wraps = false;
  size_t from = what == 0 ? cursor_.column : 0;
  size_t to = what == 1 ? cursor_.column + 1 : columns_;
  Line& line = CurrentLine();
  if (what >= 0 && what <= 2) line.Erase(from, to, columns_, background());
  if (what == 0 || what == 2) line.set_wrapped(false);
}

void TerminalScreen::Align() {
  top_ = 0;
  bottom_ = rows_ - 1;
  MoveTo(0, 0);
  Cell cell;
  cell.code = 'E';
  for (Line& line : Active().lines) {
    line = Line();
    for (size_t column = columns_; column > 0; --column) {
      line.Put(column - 1, cell);
    }
  }
}

void TerminalScreen::SoftReset() {
  modes_.SoftReset();
  top_ = 0;
  bottom_ = rows_ - 1;
  cursor_.style = Style();
  cursor_.graphics = {};
  cursor_.shift = 0;
  Active().saved = Cursor();
}

void TerminalScreen::Reset() {
  ShowAlternate(false);
  modes_ = Modes();
  for (Buffer* buffer : {&main_, &alternate_buffer_}) {
    buffer->lines.assign(rows_, Line());
    buffer->saved = Cursor();
  }
  cursor_ = Cursor();
  top_ = 0;
  bottom_ = rows_ - 1;
  ResetTabs(0);
  scrollback_.Clear();
  last_printed_ = 0;
}

// ---- Size ----

void TerminalScreen::ResizeBuffer(Buffer& buffer, Cursor& cursor, size_t rows,
                                  size_t columns, bool remember) {
  auto& lines = buffer.lines;
  // What is below the cursor and blank goes first, then what is above it.
  while (lines.size() > rows && lines.size() - 1 > cursor.row &&
         lines.back().End(columns_) == 0) {
    lines.pop_back();
  }
  size_t above =
      std::min(lines.size() - std::min(lines.size(), rows), cursor.row);
  for (size_t i = 0; remember && i < above; ++i) Remember(lines[i]);
  lines.erase(lines.begin(), lines.begin() + static_cast<ptrdiff_t>(above));
  cursor.row -= above;
  if (&cursor != &buffer.saved) {
    buffer.saved.row -= std::min(buffer.saved.row, above);
  }
  lines.resize(rows);
  if (columns == columns_) return;
  for (Line& line : lines) {
    line.Resize(columns_, columns);
    line.set_wrapped(false);
  }
}

void TerminalScreen::Resize(size_t rows, size_t columns) {
  rows = std::clamp<size_t>(rows, 1, kMaxRows);
  columns = std::clamp<size_t>(columns, 1, kMaxColumns);
  if (rows == rows_ && columns == columns_) return;
  ResizeBuffer(main_, alternate_ ? main_.saved : cursor_, rows, columns, true);
  ResizeBuffer(alternate_buffer_,
               alternate_ ? cursor_ : alternate_buffer_.saved, rows, columns,
               false);
  if (columns != columns_) scrollback_.Unwrap();
  size_t old_columns = std::exchange(columns_, columns);
  rows_ = rows;
  tabs_.resize(columns_);
  if (columns_ > old_columns) ResetTabs(old_columns);
  top_ = 0;
  bottom_ = rows_ - 1;
  bool wraps = cursor_.wraps && columns_ == old_columns;
  // The place behind the last column is there now.
  if (cursor_.wraps && columns_ > old_columns) ++cursor_.column;
  MoveTo(cursor_.row, cursor_.column);
  cursor_.wraps = wraps;
  for (Buffer* buffer : {&main_, &alternate_buffer_}) {
    Cursor& saved = buffer->saved;
    saved.row = std::min(saved.row, rows_ - 1);
    saved.column = std::min(saved.column, columns_ - 1);
  }
}

}  // namespace berth::screen
