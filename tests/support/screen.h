#ifndef BERTH_TESTS_SUPPORT_SCREEN_H_
#define BERTH_TESTS_SUPPORT_SCREEN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace berth::testing {

// What a terminal would show: its lines without trailing blanks, and where the
// cursor is.
struct Screen {
  std::vector<std::string> lines;
  size_t column = 0;
  size_t row = 0;

  // How many lines are exactly `line`.
  size_t Count(absl::string_view line) const;
};

// Renders what a program wrote to a terminal of that width. It never scrolls,
// so all lines are kept. Knows what a line editor writes: CR, LF, BS and the
// CSI sequences A C D J K P and @; others are skipped.
Screen Render(absl::string_view output, size_t columns = 100);

}  // namespace berth::testing

#endif  // BERTH_TESTS_SUPPORT_SCREEN_H_
