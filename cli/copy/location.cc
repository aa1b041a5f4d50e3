#include "cli/copy/location.h"

namespace berth::cli {

Location ParseLocation(absl::string_view text) {
  const size_t mark = text.find_first_of(":/");
  if (mark == text.npos || mark == 0 || text[mark] == '/') {
    return {"", std::string(text)};
  }
  return {std::string(text.substr(0, mark)),
          std::string(text.substr(mark + 1))};
}

}  // namespace berth::cli
