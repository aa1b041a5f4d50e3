#ifndef BERTH_CLI_TERMINAL_OVERLAY_H_
#define BERTH_CLI_TERMINAL_OVERLAY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// What to write to a terminal of this size to show `lines` in reverse video on
// its last rows, and have the cursor where it was. Lines are cut to fit, and
// control bytes in them are escaped.
std::string DrawOverlay(const std::vector<std::string>& lines,
                        const v1::TerminalSize& size);

// What leaves a terminal usable, whatever was drawn: normal colours and
// characters, cursor shown, keys as usual, no mouse, the main screen.
std::string ResetTerminal(bool alternate_screen);

// Notices, in what is written to a terminal, whether it shows its alternate
// screen: leaving that screen without being there would move the cursor.
class ScreenTracker {
 public:
  void Saw(absl::string_view output);
  bool alternate_screen() const { return alternate_; }

 private:
  // Of "ESC [ ? number h" so far; as long as they are digits.
  enum class State { kText, kEscape, kBracket, kPrivate };
  State state_ = State::kText;
  int number_ = 0;
  bool names_it_ = false;
  bool alternate_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_OVERLAY_H_
