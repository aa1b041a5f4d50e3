#include "cli/terminal/display.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace berth::cli {

void Display::Write(absl::string_view data) {
  // If the terminal is gone the invocation is left before long.
  out_.Write(data).IgnoreError();
}

void Display::ShowScreen(absl::string_view data, bool last,
                         const v1::TerminalSize& size) {
  MutexLock lock(mu_);
  if (hidden_) return;
  if (!begun_) {
    // What the user saw so far scrolls away, instead of being erased.
    begun_ = true;
    Write(absl::StrCat("\x1b[", size.rows(), ";1H",
                       std::string(size.rows(), '\n')));
  }
  tracker_.Saw(data);
  Write(data);
  in_screen_ = spoiled_ = !last;
  if (last) overlay_rows_ = 0;
}

void Display::ShowOutput(absl::string_view data) {
  MutexLock lock(mu_);
  if (hidden_) return;
  begun_ = true;
  tracker_.Saw(data);
  Write(data);
}

void Display::ShowOverlay(const std::vector<std::string>& lines,
                          const v1::TerminalSize& size) {
  MutexLock lock(mu_);
  if (hidden_ || in_screen_) return;
  spoiled_ = true;
  Write(DrawOverlay(lines, size));
  overlay_rows_ = std::max(overlay_rows_, lines.size());
}

bool Display::spoiled() const {
  MutexLock lock(mu_);
  return spoiled_;
}

void Display::Hide() {
  MutexLock lock(mu_);
  if (hidden_) return;
  hidden_ = true;
  std::string reset = ResetTerminal(tracker_.alternate_screen());
  // No notice of ours stays behind.
  if (overlay_rows_ > 0 && !tracker_.alternate_screen()) {
    absl::StrAppend(&reset,
                    "\x1b"
                    "7\x1b[9999;1H");
    if (overlay_rows_ > 1)
      absl::StrAppend(&reset, "\x1b[", overlay_rows_ - 1, "A");
    absl::StrAppend(&reset,
                    "\x1b[J\x1b"
                    "8");
  }
  tracker_ = ScreenTracker();
  Write(reset);
  spoiled_ = true;
  overlay_rows_ = 0;
}

void Display::Show() {
  MutexLock lock(mu_);
  hidden_ = false;
}

}  // namespace berth::cli
