// What programs write to a session's terminal: any bytes, and any sizes. What
// a screen says of itself must bring another one into the same state.

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"
#include "agent/screen/terminal_screen.h"

namespace {

using berth::screen::Cell;
using berth::screen::Scrollback;
using berth::screen::TerminalScreen;

// A cell's text, marks and longest style, and the same for what is fixed.
constexpr size_t kCellBytes = 100;
constexpr size_t kFixedBytes = 16 << 10;

void Require(bool condition, const char* what, const TerminalScreen& screen) {
  if (condition) return;
  fprintf(stderr, "%s: %s\n", what,
          absl::CHexEscape(screen.Redraw(false)).c_str());
  abort();
}

bool Same(const Cell& a, const Cell& b) {
  auto text = [](const Cell& cell) {
    return cell.code == 0 ? U' ' : cell.code;
  };
  return text(a) == text(b) && a.style() == b.style() && a.marks == b.marks;
}

void RequireSame(const TerminalScreen& a, const TerminalScreen& b) {
  Require(a.row() == b.row() && a.column() == b.column(), "cursor", a);
  Require(a.alternate() == b.alternate(), "screen", a);
  for (size_t row = 0; row < a.rows(); ++row) {
    for (size_t column = 0; column < a.columns(); ++column) {
      Require(Same(a.cell(row, column), b.cell(row, column)), "cell", a);
    }
  }
}

// Feeds the bytes; 0xFF, which is never part of a character, begins a size.
void Play(absl::string_view bytes, TerminalScreen& screen) {
  for (;;) {
    size_t size = bytes.find('\xff');
    screen.Feed(bytes.substr(0, size));
    if (size == bytes.npos || size + 2 >= bytes.size()) return;
    screen.Resize(static_cast<unsigned char>(bytes[size + 1]) % 50,
                  static_cast<unsigned char>(bytes[size + 2]) % 120);
    bytes.remove_prefix(size + 3);
  }
}

std::unique_ptr<TerminalScreen> Copy(const TerminalScreen& screen,
                                     bool with_scrollback,
                                     absl::string_view before) {
  std::string drawn = screen.Redraw(with_scrollback);
  size_t limit = screen.rows() * screen.columns() * 2 * kCellBytes +
                 kFixedBytes + (with_scrollback ? Scrollback::kMaxBytes : 0);
  Require(drawn.size() <= limit, "too long", screen);
  auto copy = std::make_unique<TerminalScreen>(screen.rows(), screen.columns());
  copy->Feed(before);
  copy->Feed(drawn);
  RequireSame(screen, *copy);
  // What no program ever set is left as it is.
  Require(!before.empty() || screen.title() == copy->title(), "title", screen);
  return copy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view all(reinterpret_cast<const char*>(data), size);
  const absl::string_view first = all.substr(0, size / 2);
  const absl::string_view second = all.substr(size / 2);
  TerminalScreen screen(6, 20);
  Play(first, screen);
  Copy(screen, true, "");
  Copy(screen, false, second);
  const auto copy = Copy(screen, false, "");
  const auto again = Copy(*copy, false, "");
  Require(copy->Redraw(false) == again->Redraw(false), "not stable", screen);
  // And what comes later means the same to both. But for what can be repeated
  // right after it was printed.
  const absl::string_view nothing("\0", 1);
  screen.Feed(nothing);
  copy->Feed(nothing);
  Play(second, screen);
  Play(second, *copy);
  RequireSame(screen, *copy);
  Copy(screen, true, "");
  return 0;
}
