#include "agent/screen/line.h"

#include <algorithm>

namespace berth::screen {
namespace {

using Cells = std::vector<Cell>;

Cells::iterator At(Cells& cells, size_t column) {
  return cells.begin() + static_cast<ptrdiff_t>(column);
}

}  // namespace

size_t Line::End(size_t columns) const {
  if (!(beyond_ == Cell())) return columns;
  size_t end = std::min(cells_.size(), columns);
  while (end > 0 && cells_[end - 1] == Cell()) --end;
  return end;
}

void Line::Grow(size_t columns) {
  if (cells_.size() < columns) cells_.resize(columns, beyond_);
}

void Line::Split(size_t column) {
  if (column == 0 || column >= cells_.size()) return;
  if (!cells_[column].right_half()) return;
  for (size_t half : {column - 1, column}) {
    cells_[half] = BlankCell(cells_[half].background);
  }
}

void Line::Put(size_t column, const Cell& cell) {
  size_t end = column + (cell.wide() ? 2 : 1);
  Split(column);
  Split(end);
  Grow(end);
  cells_[column] = cell;
  if (!cell.wide()) return;
  Cell& half = cells_[column + 1];
  half = cell;
  half.code = 0;
  half.marks = {};
  half.attributes =
      static_cast<uint16_t>((cell.attributes & kStyleMask) | kRightHalf);
}

void Line::AddMark(size_t column, char32_t mark) {
  if (mark > 0xFFFF) return;
  Grow(column + 1);
  if (cells_[column].right_half()) --column;
  Cell& cell = cells_[column];
  if (cell.code == 0) cell.code = ' ';
  for (uint16_t& place : cell.marks) {
    if (place != 0) continue;
    place = static_cast<uint16_t>(mark);
    return;
  }
}

void Line::Erase(size_t from, size_t to, size_t columns, Color background) {
  to = std::min(to, columns);
  if (from >= to) return;
  Split(from);
  Split(to);
  Cell blank = BlankCell(background);
  if (to == columns) {
    if (!(beyond_ == blank)) Grow(from);
    if (cells_.size() > from) cells_.resize(from);
    beyond_ = blank;
    return;
  }
  if (beyond_ == blank) to = std::min(to, cells_.size());
  if (from >= to) return;
  Grow(to);
  std::fill(At(cells_, from), At(cells_, to), blank);
}

void Line::Insert(size_t column, size_t count, size_t columns,
                  Color background) {
  if (column >= columns) return;
  count = std::min(count, columns - column);
  Split(column);
  Cell blank = BlankCell(background);
  if (column >= cells_.size() && beyond_ == blank) return;
  Grow(column);
  // What the line ends with is the same after the move.
  cells_.insert(At(cells_, column), count, blank);
  Split(columns);
  if (cells_.size() > columns) cells_.resize(columns);
}

void Line::Delete(size_t column, size_t count, size_t columns,
                  Color background) {
  if (column >= columns) return;
  count = std::min(count, columns - column);
  Split(column);
  Split(column + count);
  size_t end = std::min(column + count, cells_.size());
  if (column < end) cells_.erase(At(cells_, column), At(cells_, end));
  // Only those that had cells of their own have moved: the rest are alike.
  Erase(columns - count, columns, columns, background);
}

void Line::Resize(size_t columns, size_t next) {
  if (next < columns) {
    Split(next);
    if (cells_.size() > next) cells_.resize(next);
  } else if (!(beyond_ == Cell())) {
    Grow(columns);
    beyond_ = Cell();
  }
}

}  // namespace berth::screen
