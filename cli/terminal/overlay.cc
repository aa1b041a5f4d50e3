#include "cli/terminal/overlay.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth::cli {
namespace {

// The first `columns` characters of valid UTF-8.
absl::string_view Cut(absl::string_view text, size_t columns) {
  size_t end = 0;
  while (end < text.size()) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (starts && columns-- == 0) break;
    ++end;
  }
  return text.substr(0, end);
}

bool IsAlternateScreen(int mode) {
  return mode == 47 || mode == 1047 || mode == 1049;
}

}  // namespace

std::string DrawOverlay(const std::vector<std::string>& lines,
                        const v1::TerminalSize& size) {
  const size_t count = std::min<size_t>(lines.size(), size.rows());
  std::string drawn =
      "\x1b"
      "7";  // Saves the cursor.
  for (size_t i = 0; i < count; ++i) {
    absl::StrAppend(
        &drawn, "\x1b[", size.rows() - count + 1 + i, ";1H", "\x1b[0;7m",
        Cut(EscapeForTerminal(lines[i]), size.columns()), "\x1b[0m\x1b[K");
  }
  return absl::StrCat(drawn,
                      "\x1b"
                      "8");
}

std::string ResetTerminal(bool alternate_screen) {
  return absl::StrCat(
      alternate_screen ? "\x1b[?1049l" : "",
      "\x1b"
      "7\x1b[r\x1b"
      "8",                          // No margins; that moves the cursor.
      "\x1b[0m\x1b(B\x0f",          // Plain text.
      "\x1b[?1l\x1b>\x1b[4l",       // Keys as usual, and no inserting.
      "\x1b[?7h\x1b[?25h\x1b[0 q",  // Wraps; the usual cursor.
      "\x1b[?9;1000;1001;1002;1003;1004;1005;1006;1015;1016;2004l",
      "\x1b[>4;0m");  // Modified keys as usual.
}

void ScreenTracker::Saw(absl::string_view output) {
  for (const char c : output) {
    if (c == '\x1b') {
      state_ = State::kEscape;
      continue;
    }
    switch (state_) {
      case State::kText:
        break;
      case State::kEscape:
        // "ESC c" resets everything.
        if (c == 'c') alternate_ = false;
        state_ = c == '[' ? State::kBracket : State::kText;
        break;
      case State::kBracket:
        state_ = c == '?' ? State::kPrivate : State::kText;
        number_ = 0;
        names_it_ = false;
        break;
      case State::kPrivate:
        if (c >= '0' && c <= '9') {
          number_ = std::min(number_ * 10 + (c - '0'), 10'000);
          break;
        }
        names_it_ = names_it_ || IsAlternateScreen(number_);
        number_ = 0;
        if (c == ';') break;
        if (names_it_ && (c == 'h' || c == 'l')) alternate_ = c == 'h';
        state_ = State::kText;
        break;
    }
  }
}

}  // namespace berth::cli
