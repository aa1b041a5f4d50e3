#ifndef BERTH_AGENT_SCREEN_SCROLLBACK_H_
#define BERTH_AGENT_SCREEN_SCROLLBACK_H_

#include <cstddef>
#include <deque>
#include <string>

namespace berth::screen {

// Lines that were scrolled out of a screen, as the text that prints them: that
// is a tenth of what their cells take. The oldest go first.
class Scrollback {
 public:
  static constexpr size_t kMaxLines = 1000;
  static constexpr size_t kMaxBytes = 256 << 10;

  struct Entry {
    std::string text;
    bool wrapped = false;  // It fills the line, and goes on in the next one.
    bool follows = false;  // It may be where a terminal wraps to by itself.
  };

  void Push(Entry line);
  void Clear();
  // The screen's width has changed: nothing is known of how they fit.
  void Unwrap();

  const std::deque<Entry>& lines() const { return lines_; }

 private:
  std::deque<Entry> lines_;
  size_t bytes_ = 0;
};

}  // namespace berth::screen

#endif  // BERTH_AGENT_SCREEN_SCROLLBACK_H_
