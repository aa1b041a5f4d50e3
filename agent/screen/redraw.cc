// What brings another terminal into the state of a TerminalScreen.

#include "absl/strings/str_cat.h"
#include "agent/screen/line_text.h"
#include "agent/screen/sgr.h"
#include "agent/screen/terminal_screen.h"

namespace berth::screen {
namespace {

// Ends whatever sequence or string the terminal is in the middle of.
constexpr char kCancel[] = "\x18\x1b\\";
constexpr char kPlain[] = "\x1b[m\x1b(B\x1b)B\x0f\x1b[?6l";
constexpr char kHome[] = "\x1b[H";

void AppendMove(size_t row, size_t column, std::string& out) {
  absl::StrAppend(&out, "\x1b[", row + 1, ";", column + 1, "H");
}

}  // namespace

std::string TerminalScreen::Redraw(bool with_scrollback) const {
  std::string out = kCancel;
  absl::StrAppend(&out, "\x1b[?1049l");
  Modes::AppendReset(out);
  absl::StrAppend(&out, kPlain, "\x1b[r", kHome, "\x1b[2J");
  if (with_scrollback) DrawScrollback(out);
  DrawLines(main_, out);
  DrawSaved(main_.saved, out);
  if (alternate_) {
    // This saves the cursor itself.
    absl::StrAppend(&out, "\x1b[?1049h", kPlain, kHome, "\x1b[2J");
    DrawLines(alternate_buffer_, out);
    DrawSaved(alternate_buffer_.saved, out);
  }
  absl::StrAppend(&out, "\x1b", "7", kPlain);
  DrawTabs(out);
  if (top_ != 0 || bottom_ != rows_ - 1) {
    absl::StrAppend(&out, "\x1b[", top_ + 1, ";", bottom_ + 1, "r");
  }
  if (modes_.origin()) absl::StrAppend(&out, "\x1b[?6h");
  DrawCursor(out);
  modes_.Append(out);
  if (!modes_.autowrap()) absl::StrAppend(&out, "\x1b[?7l");
  if (has_title_) absl::StrAppend(&out, "\x1b]2;", title_, "\x07");
  absl::StrAppend(&out, parser_.Pending());
  return out;
}

void TerminalScreen::DrawScrollback(std::string& out) const {
  const auto& lines = scrollback_.lines();
  for (size_t i = 0; i < lines.size(); ++i) {
    bool follows = i + 1 < lines.size()
                       ? lines[i + 1].follows
                       : MayWrapTo(main_.lines.front());
    absl::StrAppend(&out, lines[i].text,
                    lines[i].wrapped && follows ? "" : "\r\n");
  }
}

void TerminalScreen::DrawLines(const Buffer& buffer, std::string& out) const {
  for (size_t row = 0; row < rows_; ++row) {
    const Line& line = buffer.lines[row];
    size_t width = AppendLine(line, columns_, out);
    if (row + 1 == rows_) return;
    bool wraps = line.wrapped() && width == columns_ &&
                 MayWrapTo(buffer.lines[row + 1]);
    if (!wraps) absl::StrAppend(&out, "\r\n");
  }
}

void TerminalScreen::DrawSaved(const Cursor& saved, std::string& out) const {
  if (saved.origin) absl::StrAppend(&out, "\x1b[?6h");
  AppendMove(saved.row, saved.column, out);
  AppendSgr(saved.style, out);
  if (saved.graphics[0]) absl::StrAppend(&out, "\x1b(0");
  if (saved.graphics[1]) absl::StrAppend(&out, "\x1b)0");
  if (saved.shift == 1) absl::StrAppend(&out, "\x0e");
}

void TerminalScreen::DrawTabs(std::string& out) const {
  TerminalScreen fresh(1, columns_);
  if (tabs_ == fresh.tabs_) return;
  absl::StrAppend(&out, "\x1b[3g");
  for (size_t column = 0; column < columns_; ++column) {
    if (!tabs_[column]) continue;
    absl::StrAppend(&out, "\x1b[", column + 1, "G\x1bH");
  }
}

void TerminalScreen::DrawCursor(std::string& out) const {
  size_t row = cursor_.row - (modes_.origin() ? top_ : 0);
  size_t column = cursor_.column;
  const Cell& last = cell(cursor_.row, column);
  if (cursor_.wraps) {
    // It is behind the last column only where that was just written.
    bool half = last.right_half();
    AppendMove(row, half ? column - 1 : column, out);
    const Cell& written = half ? cell(cursor_.row, column - 1) : last;
    AppendSgr(written.style(), out);
    AppendCell(written, out);
  } else {
    AppendMove(row, column, out);
  }
  AppendSgr(cursor_.style, out);
  if (cursor_.graphics[0]) absl::StrAppend(&out, "\x1b(0");
  if (cursor_.graphics[1]) absl::StrAppend(&out, "\x1b)0");
  if (cursor_.shift == 1) absl::StrAppend(&out, "\x0e");
}

}  // namespace berth::screen
