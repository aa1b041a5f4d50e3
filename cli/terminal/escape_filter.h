#ifndef BERTH_CLI_TERMINAL_ESCAPE_FILTER_H_
#define BERTH_CLI_TERMINAL_ESCAPE_FILTER_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace berth::cli {

// What the user asks of Berth itself, rather than of the session.
enum class Escape {
  kNone,
  kDetach,   // ~.
  kHelp,     // ~?
  kSuspend,  // ~^Z
  kRedraw,   // ~R
  kBreak,    // ~B
};

// Finds, in what is typed at a terminal, what is meant for Berth: an escape
// character at the beginning of a line and the one after it, as in ssh. The
// escape character twice stands for itself. Thread-compatible.
class EscapeFilter {
 public:
  // Nothing: all that is typed passes.
  explicit EscapeFilter(std::optional<char> escape) : escape_(escape) {}

  struct Result {
    // What passes on to the session.
    std::string typed;
    // Then this was asked.
    Escape escape = Escape::kNone;
    // How much of the input this was; the rest is for the next call.
    size_t used = 0;
  };

  // Takes input up to and with the first escape. `used` is at least 1 unless
  // there is no input.
  Result Take(absl::string_view input);

 private:
  const std::optional<char> escape_;
  bool line_start_ = true;
  bool pending_ = false;  // The last key was the escape character.
};

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_ESCAPE_FILTER_H_
