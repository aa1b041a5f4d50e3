// What escape sequences do to a TerminalScreen.

#include <algorithm>

#include "agent/screen/sgr.h"
#include "agent/screen/terminal_screen.h"

namespace berth::screen {
namespace {

// Of a sequence that counts from 1.
size_t Place(const Sequence& sequence, size_t index) {
  return static_cast<size_t>(sequence.Count(index)) - 1;
}

}  // namespace

void TerminalScreen::Escape(const Sequence& sequence) {
  last_printed_ = 0;
  if (sequence.intermediate == '(' || sequence.intermediate == ')') {
    cursor_.graphics[sequence.intermediate == '(' ? 0 : 1] =
        sequence.final == '0';
    return;
  }
  if (sequence.intermediate == '#' && sequence.final == '8') return Align();
  if (sequence.intermediate != 0) return;
  switch (sequence.final) {
    case '7':
      return SaveCursor();
    case '8':
      return RestoreCursor();
    case '=':
      return modes_.SetKeypad(true);
    case '>':
      return modes_.SetKeypad(false);
    case 'D':
      return LineFeed();
    case 'E':
      LineFeed();
      return MoveTo(cursor_.row, 0);
    case 'H':
      tabs_[cursor_.column] = true;
      return;
    case 'M':
      return ReverseLineFeed();
    case 'c':
      return Reset();
    default:
      return;
  }
}

void TerminalScreen::Csi(const Sequence& sequence) {
  char final = sequence.final;
  // Only right after it can a character be repeated.
  if (final != 'b') last_printed_ = 0;
  if (sequence.intermediate != 0) {
    if (sequence.leader != 0) return;
    if (sequence.intermediate == '!' && final == 'p') return SoftReset();
    if (sequence.intermediate == ' ' && final == 'q') {
      modes_.SetCursorShape(std::min(sequence.Value(0, 0), 6));
    }
    return;
  }
  if (final == 'h' || final == 'l') return CsiMode(sequence);
  if (sequence.leader == '>' && final == 'm' && sequence.Value(0, 0) == 4) {
    return modes_.SetModifyOtherKeys(std::min(sequence.Value(1, 0), 3));
  }
  if (sequence.leader == '?') {
    if (final == 'J') EraseDisplay(sequence.Value(0, 0));
    if (final == 'K') EraseLine(sequence.Value(0, 0));
    return;
  }
  if (sequence.leader != 0 || CsiMove(sequence)) return;
  CsiEdit(sequence);
}

bool TerminalScreen::CsiMove(const Sequence& sequence) {
  size_t count = static_cast<size_t>(sequence.Count());
  switch (sequence.final) {
    case 'A':
      MoveUp(count);
      return true;
    case 'B':
    case 'e':
      MoveDown(count);
      return true;
    case 'C':
    case 'a':
      MoveRight(count);
      return true;
    case 'D':
      MoveLeft(count);
      return true;
    case 'E':
      MoveDown(count);
      MoveTo(cursor_.row, 0);
      return true;
    case 'F':
      MoveUp(count);
      MoveTo(cursor_.row, 0);
      return true;
    case 'G':
    case '`':
      MoveTo(cursor_.row, Place(sequence, 0));
      return true;
    case 'H':
    case 'f':
      GoTo(Place(sequence, 0), Place(sequence, 1));
      return true;
    case 'd':
      GoTo(Place(sequence, 0), cursor_.column);
      return true;
    case 'I':
      Tab(count);
      return true;
    case 'Z':
      BackTab(count);
      return true;
    case 's':
      if (sequence.count == 0) SaveCursor();
      return true;
    case 'u':
      if (sequence.count == 0) RestoreCursor();
      return true;
    default:
      return false;
  }
}

bool TerminalScreen::CsiEdit(const Sequence& sequence) {
  switch (sequence.final) {
    case 'J':
      EraseDisplay(sequence.Value(0, 0));
      return true;
    case 'K':
      EraseLine(sequence.Value(0, 0));
      return true;
    case 'L':
    case 'M':
    case 'S':
    case 'T':
      EditRows(sequence);
      return true;
    case '@':
    case 'P':
    case 'X':
    case 'b':
      EditLine(sequence);
      return true;
    case 'm':
      ApplySgr(sequence, cursor_.style);
      return true;
    case 'r':
      SetMargins(sequence);
      return true;
    case 'g':
      ClearTabs(sequence.Value(0, 0));
      return true;
    default:
      return false;
  }
}

void TerminalScreen::EditLine(const Sequence& sequence) {
  // No more than a line: a few bytes must not keep this busy.
  size_t count = std::min(static_cast<size_t>(sequence.Count()), columns_);
  if (sequence.final == 'b') {
    for (; last_printed_ != 0 && count > 0; --count) Print(last_printed_);
    return;
  }
  cursor_.wraps = false;
  size_t column = cursor_.column;
  Line& line = CurrentLine();
  if (sequence.final == '@') line.Insert(column, count, columns_, background());
  if (sequence.final == 'P') line.Delete(column, count, columns_, background());
  if (sequence.final == 'X') {
    line.Erase(column, column + count, columns_, background());
  }
}

void TerminalScreen::EditRows(const Sequence& sequence) {
  size_t count = static_cast<size_t>(sequence.Count());
  cursor_.wraps = false;
  if (sequence.final == 'S') return ScrollUp(top_, count, true);
  if (sequence.final == 'T') {
    // With more of them it is about the mouse.
    if (sequence.count <= 1) ScrollDown(top_, count);
    return;
  }
  if (cursor_.row < top_ || cursor_.row > bottom_) return;
  MoveTo(cursor_.row, 0);
  if (sequence.final == 'L') return ScrollDown(cursor_.row, count);
  ScrollUp(cursor_.row, count, false);
}

void TerminalScreen::SetMargins(const Sequence& sequence) {
  size_t top = Place(sequence, 0);
  size_t bottom = static_cast<size_t>(std::max(sequence.Value(1, 0), 0));
  if (bottom == 0 || bottom > rows_) bottom = rows_;
  if (top + 1 >= bottom) return;
  top_ = top;
  bottom_ = bottom - 1;
  GoTo(0, 0);
}

void TerminalScreen::ClearTabs(int what) {
  if (what == 0) tabs_[cursor_.column] = false;
  if (what == 3) tabs_.assign(columns_, false);
}

void TerminalScreen::CsiMode(const Sequence& sequence) {
  bool on = sequence.final == 'h';
  for (size_t i = 0; i < sequence.count; ++i) {
    if (sequence.leader == '?') SetPrivateMode(sequence.Value(i, 0), on);
    if (sequence.leader == 0) modes_.Set(false, sequence.Value(i, 0), on);
  }
}

void TerminalScreen::SetPrivateMode(int number, bool on) {
  switch (number) {
    case 6:
      modes_.Set(true, number, on);
      return GoTo(0, 0);
    case 47:
    case 1047:
      return ShowAlternate(on);
    case 1048:
      return on ? SaveCursor() : RestoreCursor();
    case 1049:
      if (on) SaveCursor();
      ShowAlternate(on);
      if (!on) RestoreCursor();
      return;
    default:
      modes_.Set(true, number, on);
  }
}

}  // namespace berth::screen
