#include "agent/screen/modes.h"

#include "absl/strings/str_cat.h"

namespace berth::screen {

void Modes::Set(bool is_private, int number, bool on) {
  if (!is_private) {
    if (number == 4) insert_ = on;
    if (number == 20) newline_ = on;
    return;
  }
  switch (number) {
    case 1:
      cursor_keys_ = on;
      break;
    case 5:
      reverse_ = on;
      break;
    case 6:
      origin_ = on;
      break;
    case 7:
      autowrap_ = on;
      break;
    case 12:
      cursor_blink_ = on;
      break;
    case 25:
      cursor_visible_ = on;
      break;
    case 66:
      keypad_ = on;
      break;
    case 9:
    case 1000:
    case 1002:
    case 1003:
      mouse_ = on ? number : 0;
      break;
    case 1005:
    case 1006:
    case 1015:
    case 1016:
      mouse_encoding_ = on ? number : 0;
      break;
    case 1004:
      focus_ = on;
      break;
    case 1007:
      alternate_scroll_ = on;
      break;
    case 2004:
      bracketed_paste_ = on;
      break;
    default:
      break;
  }
}

void Modes::SoftReset() {
  insert_ = origin_ = cursor_keys_ = keypad_ = false;
  autowrap_ = cursor_visible_ = true;
}

void Modes::AppendReset(std::string& out) {
  absl::StrAppend(&out, "\x1b[4;20l", "\x1b[?1;5;6;9;1000;1002;1003;1004l",
                  "\x1b[?1005;1006;1015;1016;2004l", "\x1b[?7;25h", "\x1b>");
}

void Modes::Append(std::string& out) const {
  auto set = [&out](int number, bool on) {
    absl::StrAppend(&out, "\x1b[?", number, on ? "h" : "l");
  };
  if (insert_) absl::StrAppend(&out, "\x1b[4h");
  if (newline_) absl::StrAppend(&out, "\x1b[20h");
  if (keypad_) absl::StrAppend(&out, "\x1b=");
  if (cursor_keys_) set(1, true);
  if (reverse_) set(5, true);
  if (mouse_ != 0) set(mouse_, true);
  if (mouse_encoding_ != 0) set(mouse_encoding_, true);
  if (focus_) set(1004, true);
  if (bracketed_paste_) set(2004, true);
  if (alternate_scroll_) set(1007, *alternate_scroll_);
  if (modify_other_keys_) {
    absl::StrAppend(&out, "\x1b[>4;", *modify_other_keys_, "m");
  }
  if (cursor_shape_) absl::StrAppend(&out, "\x1b[", *cursor_shape_, " q");
  if (cursor_blink_) set(12, *cursor_blink_);
  if (!cursor_visible_) set(25, false);
}

}  // namespace berth::screen
