#include "agent/holder/terminal_watch.h"

#include <algorithm>

#include "absl/strings/string_view.h"

namespace berth::holder {
namespace {

// A part of the terminal's output, well below what a packet may have.
constexpr size_t kPart = 32 << 10;

}  // namespace

void TerminalWatch::Begin(std::optional<uint64_t> from_offset) {
  begun_ = true;
  drawing_.reset();
  needs_screen_ = !from_offset;
  // Whoever has part of the output has what was scrolled out, too.
  if (from_offset) has_scrollback_ = true;
  offset_ = from_offset.value_or(0);
}

void TerminalWatch::Draw() {
  drawing_ = terminal_.Draw(/*with_scrollback=*/!has_scrollback_);
  drawn_ = 0;
  needs_screen_ = false;
  has_scrollback_ = true;
}

v1::Event TerminalWatch::ScreenPart() {
  absl::string_view left = drawing_->bytes;
  left.remove_prefix(drawn_);
  part_ = std::min(left.size(), kPart);
  v1::Event event;
  v1::TerminalScreen& screen = *event.mutable_terminal_screen();
  screen.set_data(left.data(), part_);
  screen.set_offset(drawing_->offset);
  screen.set_rows(drawing_->rows);
  screen.set_columns(drawing_->columns);
  screen.set_last(part_ == left.size());
  return event;
}

std::optional<v1::Event> TerminalWatch::Next() {
  if (!begun_) return std::nullopt;
  if (!drawing_ && (needs_screen_ || !terminal_.Remembers(offset_))) Draw();
  if (drawing_) return ScreenPart();
  if (offset_ == terminal_.end()) return std::nullopt;
  absl::string_view data = terminal_.From(offset_).substr(0, kPart);
  part_ = data.size();
  v1::Event event;
  event.mutable_terminal_output()->set_offset(offset_);
  event.mutable_terminal_output()->set_data(data.data(), data.size());
  return event;
}

void TerminalWatch::Sent() {
  if (!drawing_) {
    offset_ += part_;
    return;
  }
  drawn_ += part_;
  if (drawn_ < drawing_->bytes.size()) return;
  offset_ = drawing_->offset;
  drawing_.reset();
}

}  // namespace berth::holder
