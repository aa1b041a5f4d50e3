#include "agent/link/terminal_follower.h"

#include <utility>

namespace berth::agent {

holder::v1::Request TerminalFollower::Begin(
    std::optional<uint64_t> from_offset) {
  next_ = from_offset;
  holder::v1::Request request;
  holder::v1::WatchTerminal& watch = *request.mutable_watch_terminal();
  // A holder without screens sends what the terminal prints from now on.
  if (from_offset && screens_) watch.set_from_offset(*from_offset);
  return request;
}

std::optional<holder::v1::Request> TerminalFollower::Redraw() {
  needs_screen_ = false;
  if (!screens_) return std::nullopt;
  awaits_screen_ = true;
  holder::v1::Request request;
  request.mutable_watch_terminal();
  return request;
}

std::optional<v1::TerminalEvent> TerminalFollower::OnScreen(
    holder::v1::TerminalScreen& screen) {
  v1::TerminalEvent event;
  v1::TerminalScreen& shown = *event.mutable_screen();
  shown.set_data(std::move(*screen.mutable_data()));
  shown.set_offset(screen.offset());
  shown.mutable_size()->set_rows(screen.rows());
  shown.mutable_size()->set_columns(screen.columns());
  shown.set_last(screen.last());
  if (screen.last()) {
    awaits_screen_ = needs_screen_ = false;
    next_ = screen.offset();
  }
  return event;
}

std::optional<v1::TerminalEvent> TerminalFollower::OnOutput(
    holder::v1::TerminalOutput& output) {
  if (awaits_screen_ || needs_screen_) return std::nullopt;
  std::string& data = *output.mutable_data();
  uint64_t offset = output.offset();
  if (next_ && offset < *next_) {
    const uint64_t known = *next_ - offset;
    if (known >= data.size()) return std::nullopt;
    data.erase(0, known);
    offset = *next_;
  }
  if (next_ && offset > *next_ && screens_) {
    needs_screen_ = true;
    return std::nullopt;
  }
  next_ = offset + data.size();
  v1::TerminalEvent event;
  event.mutable_output()->set_offset(offset);
  event.mutable_output()->set_data(std::move(data));
  return event;
}

}  // namespace berth::agent
