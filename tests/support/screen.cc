#include "tests/support/screen.h"

#include <algorithm>
#include <cstdlib>

namespace berth::testing {
namespace {

// One cell holds the bytes of one character.
class Renderer {
 public:
  explicit Renderer(size_t columns) : columns_(columns) {}

  void Feed(absl::string_view output) {
    for (size_t i = 0; i < output.size();) {
      char c = output[i];
      if (c == '\x1b') {
        i += Escape(output.substr(i));
      } else if (static_cast<unsigned char>(c) < ' ') {
        Control(c);
        ++i;
      } else {
        size_t end = i + 1;
        while (end < output.size() && (output[end] & 0xC0) == 0x80) ++end;
        Put(output.substr(i, end - i));
        i = end;
      }
    }
  }

  Screen Take() {
    Screen screen;
    screen.column = x_;
    screen.row = y_;
    Line();
    for (const auto& cells : lines_) {
      std::string line;
      for (const std::string& cell : cells) line += cell;
      line.erase(line.find_last_not_of(' ') + 1);
      screen.lines.push_back(std::move(line));
    }
    return screen;
  }

 private:
  using Cells = std::vector<std::string>;

  Cells& Line() {
    if (lines_.size() <= y_) lines_.resize(y_ + 1);
    return lines_[y_];
  }

  void Put(absl::string_view character) {
    if (x_ >= columns_) {
      ++y_;
      x_ = 0;
    }
    Cells& line = Line();
    if (line.size() <= x_) line.resize(x_ + 1, " ");
    line[x_++] = std::string(character);
  }

  void Control(char c) {
    if (c == '\r') x_ = 0;
    if (c == '\n') ++y_;
    if (c == '\b' && x_ > 0) --x_;
  }

  // Returns the length of the sequence that `text` starts with.
  size_t Escape(absl::string_view text) {
    if (text.size() < 2 || text[1] != '[')
      return std::min<size_t>(2, text.size());
    size_t end = text.find_first_not_of("?0123456789;", 2);
    if (end == absl::string_view::npos) return text.size();
    std::string number(text.substr(2, end - 2));
    size_t n = number.empty() || number[0] == '?'
                   ? 1
                   : std::strtoul(number.c_str(), nullptr, 10);
    Sequence(text[end], n);
    return end + 1;
  }

  void Sequence(char kind, size_t n) {
    Cells& line = Line();
    size_t x = std::min(x_, line.size());
    auto at = line.begin() + static_cast<ptrdiff_t>(x);
    switch (kind) {
      case 'A':
        y_ -= std::min(y_, n);
        break;
      case 'C':
        x_ = std::min(x_ + n, columns_);
        break;
      case 'D':
        x_ -= std::min(x_, n);
        break;
      case 'J':
        lines_.resize(y_ + 1);
        [[fallthrough]];
      case 'K':
        lines_[y_].resize(std::min(x_, lines_[y_].size()), " ");
        break;
      case 'P':
        line.erase(at,
                   at + static_cast<ptrdiff_t>(std::min(n, line.size() - x)));
        break;
      case '@':
        line.insert(at, std::min(n, columns_), " ");
        break;
      default:
        break;
    }
  }

  const size_t columns_;
  std::vector<Cells> lines_;
  size_t x_ = 0;
  size_t y_ = 0;
};

}  // namespace

size_t Screen::Count(absl::string_view line) const {
  return static_cast<size_t>(std::count(lines.begin(), lines.end(), line));
}

Screen Render(absl::string_view output, size_t columns) {
  Renderer renderer(columns);
  renderer.Feed(output);
  return renderer.Take();
}

}  // namespace berth::testing
