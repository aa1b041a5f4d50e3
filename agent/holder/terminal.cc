#include "agent/holder/terminal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/shell/monotonic.h"
#include "base/status_macros.h"

namespace berth::holder {
namespace {

// A kernel buffer of a terminal holds less.
constexpr size_t kReadSize = 8192;
// So that a terminal that prints without end leaves time for the rest.
constexpr int kMaxReads = 32;
// Of the log, if there is one; see HolderStart.
constexpr uint64_t kLogBytes = 8 << 20;
constexpr uint64_t kLogSequence = 0;
// What a terminal has that was never told a size.
constexpr winsize kUsualSize = {24, 80, 0, 0};

}  // namespace

Terminal::Terminal(EventLoop& loop, int master, std::function<void()> on_output)
    : loop_(loop), master_(master), on_output_(std::move(on_output)) {}

Terminal::~Terminal() {
  if (watched_) loop_.Unwatch(master_);
}

absl::Status Terminal::Open() {
  absl::Status status = loop_.Watch(
      master_, EPOLLIN, [this](uint32_t events) { HandleEvents(events); });
  watched_ = status.ok();
  return status;
}

void Terminal::HandleEvents(uint32_t events) {
  if (events & EPOLLOUT) Write();
  if (events & ~EPOLLOUT) Drain();
}

void Terminal::Drain() {
  uint64_t before = end_;
  for (int i = 0; i < kMaxReads; ++i) {
    char data[kReadSize];
    ssize_t got = read(master_, data, sizeof(data));
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      // No process has the terminal open any more.
      if (watched_) loop_.Unwatch(master_);
      watched_ = false;
      break;
    }
    Remember(absl::string_view(data, static_cast<size_t>(got)));
    if (static_cast<size_t>(got) < sizeof(data)) break;
  }
  if (end_ != before) on_output_();
}

absl::Status Terminal::LogTo(const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(
      logs_,
      agent::SessionLogs::Open(directory, kLogBytes, agent::WhenFull::kDrop));
  BERTH_ASSIGN_OR_RETURN(log_, logs_->Create(kLogSequence));
  return absl::OkStatus();
}

void Terminal::Recorded(const v1::Recorded& recorded) {
  const auto offset = recorded.offsets().find(kLogSequence);
  if (log_ != nullptr && offset != recorded.offsets().end()) {
    log_->Ack(offset->second);
  }
}

void Terminal::Log(agent::Stream stream, absl::string_view data) {
  // A terminal waits for nobody, so what has no room is left out; whoever reads
  // the log sees that.
  if (!log_->Append(stream, data).ok()) log_->Skip(data.size());
}

void Terminal::LogSize() {
  winsize size = kUsualSize;
  if (ioctl(master_, TIOCGWINSZ, &size) != 0) return;
  std::string text = absl::StrCat(size.ws_row, " ", size.ws_col);
  if (text == logged_size_) return;
  logged_size_ = std::move(text);
  Log(agent::Stream::kStderr, logged_size_);
}

void Terminal::Remember(absl::string_view data) {
  if (log_ != nullptr) {
    LogSize();
    Log(agent::Stream::kStdout, data);
  }
  if (screen_) {
    SizeScreen();
    screen_->Feed(data);
  }
  remembered_.append(data.data(), data.size());
  end_ += data.size();
  // Now and then rather than each time, as it moves the rest.
  if (remembered_.size() > 2 * kRemembered) {
    remembered_.erase(0, remembered_.size() - kRemembered);
  }
}

absl::string_view Terminal::From(uint64_t& offset) const {
  uint64_t begin = end_ - remembered_.size();
  if (offset < begin) offset = begin;
  if (offset > end_) offset = end_;
  return absl::string_view(remembered_).substr(offset - begin);
}

void Terminal::SizeScreen() {
  winsize size = kUsualSize;
  if (ioctl(master_, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ||
      size.ws_col == 0) {
    size = kUsualSize;
  }
  screen_->Resize(size.ws_row, size.ws_col);
}

Terminal::Drawing Terminal::Draw(bool with_scrollback) {
  if (!screen_) {
    screen_ = std::make_unique<screen::TerminalScreen>(kUsualSize.ws_row,
                                                       kUsualSize.ws_col);
    SizeScreen();
    screen_->Feed(remembered_);
  }
  SizeScreen();
  Drawing drawing;
  drawing.bytes = screen_->Redraw(with_scrollback);
  drawing.offset = end_;
  drawing.rows = static_cast<uint32_t>(screen_->rows());
  drawing.columns = static_cast<uint32_t>(screen_->columns());
  return drawing;
}

void Terminal::ForgetScreen() {
  if (remembered_.size() == end_) screen_.reset();
}

absl::Status Terminal::Type(absl::string_view data) {
  if (pending_.size() + data.size() > kMaxPending) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the terminal has ", pending_.size(), " typed bytes waiting, at most ",
        kMaxPending, " can; what was typed now is dropped"));
  }
  pending_.append(data.data(), data.size());
  if (!held_) Write();
  return absl::OkStatus();
}

void Terminal::Hold(bool held) {
  held_ = held;
  if (!held_) Write();
  if (held_ && watched_) loop_.Change(master_, EPOLLIN);
}

void Terminal::Write() {
  const bool crowded = pending_.size() > kRoomyPending;
  while (!held_ && !pending_.empty()) {
    ssize_t written = write(master_, pending_.data(), pending_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno != EAGAIN) pending_.clear();
    if (written <= 0) break;
    last_typed_ = shell::MonotonicNow();
    pending_.erase(0, static_cast<size_t>(written));
  }
  bool waits = !held_ && !pending_.empty();
  if (watched_) loop_.Change(master_, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (pending_.empty()) pending_.shrink_to_fit();
  if (crowded && pending_.size() <= kRoomyPending && on_room_) on_room_();
}

void Terminal::Resize(uint16_t rows, uint16_t columns) {
  Drain();
  winsize size = {rows, columns, 0, 0};
  ioctl(master_, TIOCSWINSZ, &size);
  if (screen_) SizeScreen();
  if (log_ != nullptr) LogSize();
}

pid_t Terminal::Foreground() const { return tcgetpgrp(master_); }

bool Terminal::IsRaw() const {
  termios modes;
  return tcgetattr(master_, &modes) == 0 && (modes.c_lflag & ICANON) == 0;
}

}  // namespace berth::holder
