#include "cli/copy/progress_bar.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/escape.h"
#include "base/monotonic.h"

namespace berth::cli {
namespace {

// Fits with all else into the 80 columns that every terminal has.
constexpr size_t kNameWidth = 24;
// Before that a rate is but noise.
constexpr absl::Duration kSettled = absl::Milliseconds(500);

std::string Size(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  return unit == 0 ? absl::StrFormat("%.0f%s", bytes, kUnits[unit])
                   : absl::StrFormat("%.1f%s", bytes, kUnits[unit]);
}

std::string Clock(absl::Duration time) {
  const int64_t seconds = absl::ToInt64Seconds(time + absl::Milliseconds(999));
  if (seconds < 3600) {
    return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
  }
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                         seconds % 60);
}

// The end of a long name says more than its beginning.
std::string Shorten(const std::string& name) {
  const std::string text = EscapeForTerminal(name);
  if (text.size() <= kNameWidth) return text;
  size_t begin = text.size() - kNameWidth + 2;
  // Not in the middle of a character.
  while (begin < text.size() && (text[begin] & 0xc0) == 0x80) ++begin;
  return absl::StrCat("..", text.substr(begin));
}

}  // namespace

std::string ProgressLine(const copy::Progress::Values& values,
                         absl::Duration elapsed) {
  std::string line = Shorten(values.name);
  const double total = std::max(values.total_bytes, values.bytes);
  const bool has_total = values.has_total && total > 0;
  if (has_total) {
    absl::StrAppendFormat(&line, " %3d%%",
                          static_cast<int>(100.0 * values.bytes / total));
  }
  absl::StrAppend(&line, "  ", Size(values.bytes));
  if (has_total) absl::StrAppend(&line, "/", Size(total));
  if (values.total_files > 1) {
    absl::StrAppend(&line, "  ", values.files, "/", values.total_files,
                    " files");
  }
  if (elapsed < kSettled || values.bytes == 0) return line;
  const double rate = values.bytes / absl::ToDoubleSeconds(elapsed);
  absl::StrAppend(&line, "  ", Size(rate), "/s");
  if (has_total) {
    absl::StrAppend(&line, "  ",
                    Clock(absl::Seconds((total - values.bytes) / rate)));
  }
  return line;
}

ProgressBar::ProgressBar(Invocation& invocation, bool enabled)
    : invocation_(invocation),
      enabled_(enabled && invocation.err().IsTerminal()),
      begin_(MonotonicNow()) {
  if (enabled_) thread_ = std::thread([this] { Loop(); });
}

ProgressBar::~ProgressBar() {
  if (!enabled_) return;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void ProgressBar::Say(absl::string_view text) {
  MutexLock lock(mu_);
  if (shown_) invocation_.err().Write("\r\x1b[K").IgnoreError();
  shown_ = false;
  invocation_.Say(text);
}

void ProgressBar::Loop() {
  MutexLock lock(mu_);
  while (!stopping_) {
    changed_.WaitFor(mu_, kEvery);
    if (!stopping_) Show();
  }
  if (!shown_) return;
  Show();
  invocation_.err().Write("\n").IgnoreError();
}

void ProgressBar::Show() {
  shown_ = true;
  const std::string line = ProgressLine(progress_.Get(), MonotonicNow() - begin_);
  // A terminal that is gone is somebody else's concern.
  invocation_.err().Write(absl::StrCat("\r", line, "\x1b[K")).IgnoreError();
}

}  // namespace berth::cli
