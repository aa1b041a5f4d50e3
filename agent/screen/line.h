#ifndef BERTH_AGENT_SCREEN_LINE_H_
#define BERTH_AGENT_SCREEN_LINE_H_

#include <cstddef>
#include <vector>

#include "agent/screen/cell.h"

namespace berth::screen {

// One line of a screen. It takes memory for what is written on it only. Both
// halves of a wide character go when either is overwritten.
class Line {
 public:
  Line() = default;
  // Blank, in a colour.
  explicit Line(Color background) : beyond_(BlankCell(background)) {}

  // What is at `column`.
  const Cell& at(size_t column) const {
    return column < cells_.size() ? cells_[column] : beyond_;
  }
  // Columns up to the last that shows something, of `columns`.
  size_t End(size_t columns) const;

  // Its text goes on in the next line, which the terminal began by itself.
  bool wrapped() const { return wrapped_; }
  void set_wrapped(bool wrapped) { wrapped_ = wrapped; }

  // Writes `cell`, and its right half if it is wide, which must fit.
  void Put(size_t column, const Cell& cell);
  // Joins a mark to the character at `column` (or to the left half of it).
  void AddMark(size_t column, char32_t mark);

  // The line has `columns` in these:

  // Erases [from, to).
  void Erase(size_t from, size_t to, size_t columns, Color background);
  // Makes room for `count` columns at `column`: what is behind moves right,
  // and out of the line.
  void Insert(size_t column, size_t count, size_t columns, Color background);
  // Removes `count` columns at `column`: what is behind moves left, and blanks
  // come in.
  void Delete(size_t column, size_t count, size_t columns, Color background);
  // It had `columns`, and has `next` from now on.
  void Resize(size_t columns, size_t next);

 private:
  // Gives cells of their own to the first `columns`.
  void Grow(size_t columns);
  // Erases a wide character that is on both sides of the left edge of `column`.
  void Split(size_t column);

  std::vector<Cell> cells_;
  Cell beyond_;  // What all the rest of them are.
  bool wrapped_ = false;
};

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_LINE_H_
