#ifndef BERTH_AGENT_SCREEN_MODES_H_
#define BERTH_AGENT_SCREEN_MODES_H_

#include <optional>
#include <string>

namespace berth::screen {

// What programs switch on and off in a terminal (DECSET and the like), apart
// from which screen is shown. Most of it is only remembered here; what changes
// how text is put on the screen can be asked for.
class Modes {
 public:
  // "ESC [ number h" and "l"; with `is_private`, "ESC [ ? number h" and "l".
  void Set(bool is_private, int number, bool on);
  void SetKeypad(bool application) { keypad_ = application; }
  // "ESC [ number SP q".
  void SetCursorShape(int shape) { cursor_shape_ = shape; }
  // "ESC [ > 4 ; value m": how keys with modifiers are sent.
  void SetModifyOtherKeys(int value) { modify_other_keys_ = value; }
  // As "ESC [ ! p" does.
  void SoftReset();

  bool insert() const { return insert_; }
  bool newline() const { return newline_; }
  bool origin() const { return origin_; }
  bool autowrap() const { return autowrap_; }

  // Appends what brings a terminal to the defaults, whatever it was told
  // before.
  static void AppendReset(std::string& out);
  // Appends what brings a terminal from there to these modes, but for origin
  // mode and autowrap, which matter for what is put on the screen.
  void Append(std::string& out) const;

 private:
  bool insert_ = false;
  bool newline_ = false;
  bool origin_ = false;
  bool autowrap_ = true;
  bool cursor_visible_ = true;
  bool cursor_keys_ = false;
  bool keypad_ = false;
  bool reverse_ = false;
  bool focus_ = false;
  bool bracketed_paste_ = false;
  int mouse_ = 0;  // The mode's number; 0: off. One rules out the rest,
  int mouse_encoding_ = 0;  // and so it is here.
  // Defaults differ among terminals, so these are passed on only if a program
  // said something.
  std::optional<bool> cursor_blink_;
  std::optional<bool> alternate_scroll_;
  std::optional<int> cursor_shape_;
  std::optional<int> modify_other_keys_;
};

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_MODES_H_
