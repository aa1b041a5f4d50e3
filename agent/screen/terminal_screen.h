#ifndef BERTH_AGENT_SCREEN_TERMINAL_SCREEN_H_
#define BERTH_AGENT_SCREEN_TERMINAL_SCREEN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/screen/cell.h"
#include "agent/screen/line.h"
#include "agent/screen/modes.h"
#include "agent/screen/parser.h"
#include "agent/screen/scrollback.h"
#include "agent/screen/sequence.h"

namespace berth::screen {

// What a terminal shows and remembers, made of what programs wrote to it: as
// xterm does, whose name TERM has. Any bytes will do: they change what is
// shown, and nothing else, and memory is bounded. Thread-compatible.
//
// Of its own, as the usual library takes ten times the memory, can't say what
// is on the main screen while a full-screen program runs, and does not
// survive every input.
class TerminalScreen final : private Parser::Handler {
 public:
  // A terminal that is larger is taken to have this size.
  static constexpr size_t kMaxRows = 400;
  static constexpr size_t kMaxColumns = 800;

  // An empty terminal.
  TerminalScreen(size_t rows, size_t columns);
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  void Feed(absl::string_view bytes) { parser_.Feed(bytes); }
  // The terminal has another size now.
  void Resize(size_t rows, size_t columns);

  // What brings a terminal of this size into this state, whatever it showed
  // before: text, styles, cursor, modes, both screens, title; and what has
  // come in part only. `with_scrollback`: first the lines that were scrolled
  // out of the main screen.
  std::string Redraw(bool with_scrollback) const;

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  size_t row() const { return cursor_.row; }
  size_t column() const { return cursor_.column; }
  // Whether the screen for full-screen programs is shown.
  bool alternate() const { return alternate_; }
  const Cell& cell(size_t row, size_t column) const {
    return Active().lines[row].at(column);
  }
  const Scrollback& scrollback() const { return scrollback_; }
  const Modes& modes() const { return modes_; }
  const std::string& title() const { return title_; }
  // The text that is shown, without blanks at its lines' ends.
  std::vector<std::string> Text() const;

 private:
  struct Cursor {
    size_t row = 0;
    size_t column = 0;
    // The last column was written: the next character begins a new line.
    bool wraps = false;
    bool origin = false;  // Only where one is saved.
    Style style;
    std::array<bool, 2> graphics = {};  // G0, G1 is the set of line drawing.
    size_t shift = 0;                   // Which of them is in use.
  };

  struct Buffer {
    std::vector<Line> lines;
    Cursor saved;
  };

  // Parser::Handler.
  void Print(char32_t c) override;
  void Control(char c) override;
  void Escape(const Sequence& sequence) override;
  void Csi(const Sequence& sequence) override;
  void Osc(absl::string_view text) override;

  Buffer& Active() { return alternate_ ? alternate_buffer_ : main_; }
  const Buffer& Active() const {
    return alternate_ ? alternate_buffer_ : main_;
  }
  Line& CurrentLine() { return Active().lines[cursor_.row]; }
  Color background() const { return cursor_.style.background; }
  char32_t Translate(char32_t c) const;
  void Put(char32_t c, size_t width);
  void Join(char32_t mark);

  // Moving.
  void MoveTo(size_t row, size_t column);
  void GoTo(size_t row, size_t column);  // As seen in origin mode.
  void MoveUp(size_t count);
  void MoveDown(size_t count);
  void MoveLeft(size_t count);
  void MoveRight(size_t count);
  void LineFeed();
  void ReverseLineFeed();
  void Tab(size_t count);
  void BackTab(size_t count);
  void SaveCursor();
  void RestoreCursor();

  // Changing what is there.
  void ScrollUp(size_t top, size_t count, bool remember);
  void ScrollDown(size_t top, size_t count);
  void Remember(const Line& line);
  void EraseDisplay(int what);
  void EraseLine(int what);
  void EraseRows(size_t from, size_t to);
  void EditLine(const Sequence& sequence);
  void EditRows(const Sequence& sequence);
  void Align();
  void Reset();
  void SoftReset();

  // Sequences.
  bool CsiMove(const Sequence& sequence);
  bool CsiEdit(const Sequence& sequence);
  void CsiMode(const Sequence& sequence);
  void SetPrivateMode(int number, bool on);
  void SetMargins(const Sequence& sequence);
  void ClearTabs(int what);
  void ResetTabs(size_t from);

  // The other screen.
  void ShowAlternate(bool alternate);
  void ResizeBuffer(Buffer& buffer, Cursor& cursor, size_t rows, size_t columns,
                    bool remember);

  // Drawing.
  void DrawLines(const Buffer& buffer, std::string& out) const;
  void DrawScrollback(std::string& out) const;
  void DrawSaved(const Cursor& saved, std::string& out) const;
  void DrawTabs(std::string& out) const;
  void DrawCursor(std::string& out) const;

  Parser parser_;
  size_t rows_;
  size_t columns_;
  Buffer main_;
  Buffer alternate_buffer_;
  bool alternate_ = false;
  Cursor cursor_;
  // Lines that scroll, both inclusive.
  size_t top_ = 0;
  size_t bottom_;
  Modes modes_;
  std::vector<bool> tabs_;
  Scrollback scrollback_;
  std::string title_;
  bool has_title_ = false;
  char32_t last_printed_ = 0;
};

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_TERMINAL_SCREEN_H_
