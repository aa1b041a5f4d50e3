#ifndef BERTH_CLI_TERMINAL_DISPLAY_H_
#define BERTH_CLI_TERMINAL_DISPLAY_H_

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "cli/invocation/output.h"
#include "cli/terminal/overlay.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// What the user's terminal shows: the session's terminal, and sometimes a few
// lines of Berth's own over its last rows. Thread-safe.
class Display {
 public:
  // `out` is not owned.
  explicit Display(Output& out) : out_(out) {}

  // A piece of the session's whole screen, or what it printed since. Nothing is
  // shown while hidden.
  void ShowScreen(absl::string_view data, bool last,
                  const v1::TerminalSize& size) ABSL_LOCKS_EXCLUDED(mu_);
  void ShowOutput(absl::string_view data) ABSL_LOCKS_EXCLUDED(mu_);

  // Draws lines over the session's terminal. They are gone once its screen is
  // shown anew, as has to be asked for.
  void ShowOverlay(const std::vector<std::string>& lines,
                   const v1::TerminalSize& size) ABSL_LOCKS_EXCLUDED(mu_);

  // What is shown is not what the session shows: a new screen is wanted.
  bool spoiled() const ABSL_LOCKS_EXCLUDED(mu_);

  // Leaves the terminal to others: clean, below what was shown. Nothing is
  // shown any more until Show().
  void Hide() ABSL_LOCKS_EXCLUDED(mu_);
  void Show() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Write(absl::string_view data) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Output& out_;
  mutable Mutex mu_;
  bool hidden_ ABSL_GUARDED_BY(mu_) = false;
  bool begun_ ABSL_GUARDED_BY(mu_) = false;
  bool in_screen_ ABSL_GUARDED_BY(mu_) = false;
  bool spoiled_ ABSL_GUARDED_BY(mu_) = false;
  size_t overlay_rows_ ABSL_GUARDED_BY(mu_) = 0;
  ScreenTracker tracker_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_DISPLAY_H_
