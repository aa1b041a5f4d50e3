#ifndef BERTH_CLI_RECORDINGS_TERMINAL_FILTER_H_
#define BERTH_CLI_RECORDINGS_TERMINAL_FILTER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace berth::cli {

// Takes out of what a terminal once printed what must not act on the terminal
// of whoever looks at it now. Keeps its place between pieces.
// Thread-compatible.
class TerminalFilter {
 public:
  enum class Keep {
    // What draws: no titles, clipboards or other strings (OSC, DCS, APC, PM,
    // SOS), and nothing that makes a terminal answer as if somebody typed.
    kDrawing,
    // Text, tabs and newlines.
    kText,
  };

  explicit TerminalFilter(Keep keep) : keep_(keep) {}

  std::string Take(absl::string_view bytes);

 private:
  enum class State {
    kText,
    kEscape,
    kIntermediate,
    kCsi,
    kString,
    kStringEnd,
    kC1
  };

  void TakeByte(char c, std::string& out);
  void TakeText(char c, std::string& out);
  void TakeEscape(char c, std::string& out);
  // Passes on what was held back, if it only draws.
  void EndSequence(bool draws, std::string& out);

  // Longer sequences than this draw nothing.
  static constexpr size_t kMaxSequence = 256;

  const Keep keep_;
  State state_ = State::kText;
  std::string sequence_;  // That has not ended.
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RECORDINGS_TERMINAL_FILTER_H_
