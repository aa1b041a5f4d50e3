#include "agent/screen/scrollback.h"

#include <utility>

namespace berth::screen {
namespace {

// What a line takes besides its text.
constexpr size_t kOverhead = sizeof(Scrollback::Entry) + 16;

size_t Cost(const Scrollback::Entry& line) {
  return line.text.size() + kOverhead;
}

}  // namespace

void Scrollback::Push(Entry line) {
  line.text.shrink_to_fit();
  bytes_ += Cost(line);
  lines_.push_back(std::move(line));
  while (lines_.size() > kMaxLines || bytes_ > kMaxBytes) {
    bytes_ -= Cost(lines_.front());
    lines_.pop_front();
  }
}

void Scrollback::Clear() {
  lines_.clear();
  bytes_ = 0;
}

void Scrollback::Unwrap() {
  for (Entry& line : lines_) line.wrapped = false;
}

}  // namespace berth::screen
