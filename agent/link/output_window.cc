#include "agent/link/output_window.h"

#include <algorithm>

namespace berth::agent {
namespace {

// What was sent within so short a time counts as one: there are never many
// samples, however small the frames are.
constexpr absl::Duration kMerge = absl::Milliseconds(1);
// As AckPace::kMinBytes, in cli/run.
constexpr size_t kPromptBytes = 32 << 10;
constexpr size_t kMergeBytes = 8 << 10;
// Times below this say nothing but that the link is fast.
constexpr absl::Duration kShortest = absl::Microseconds(100);

}  // namespace

void OutputWindow::Begin() {
  MutexLock lock(mu_);
  samples_.clear();
  in_flight_ = 0;
  waits_ = false;
}

size_t OutputWindow::Room() {
  MutexLock lock(mu_);
  const size_t room = RoomLocked();
  waits_ = room == 0;
  return room;
}

size_t OutputWindow::RoomLocked() const {
  const size_t frame = std::min(kMaxFrame, window_ / 4);
  return in_flight_ + frame <= window_ ? frame : 0;
}

void OutputWindow::Sent(uint64_t end, size_t bytes, bool all, absl::Time now) {
  MutexLock lock(mu_);
  if (in_flight_ == 0) shown_at_ = now;
  in_flight_ += bytes;
  if (!samples_.empty() && now - samples_.back().sent_at < kMerge &&
      samples_.back().bytes + bytes <= kMergeBytes) {
    samples_.back().end = end;
    samples_.back().bytes += bytes;
    samples_.back().all |= all;
    return;
  }
  samples_.push_back({end, bytes, all, now, shown_, shown_at_});
}

bool OutputWindow::Shown(uint64_t end, absl::Time now) {
  MutexLock lock(mu_);
  size_t shown = 0;
  Sample last;
  while (!samples_.empty() && samples_.front().end <= end) {
    last = samples_.front();
    shown += last.bytes;
    samples_.pop_front();
  }
  if (shown == 0) return false;
  in_flight_ -= shown;
  shown_ += shown;
  shown_at_ = now;
  Learn(last, shown, now);
  return waits_ && RoomLocked() > 0;
}

void OutputWindow::Learn(const Sample& sample, size_t shown, absl::Time now) {
  const absl::Duration time = std::max(kShortest, now - sample.sent_at);
  if (window_ == kMin) {
    // That leaves no queue but what belongs to the way: if the way has become
    // longer, this is how it is noticed.
    shortest_ = time;
    doubles_ = true;
  }
  shortest_ = std::min(shortest_, time);
  // Of less the client may tell late.
  const bool prompt = in_flight_ + shown >= kPromptBytes;
  const bool queued = prompt && time > shortest_ + kQueueTime;
  if (queued) doubles_ = false;
  // What did not even wait for itself tells of what was printed, not of the
  // way.
  const bool limited = queued || (prompt && !sample.all);
  Rate(sample, limited, now);
  const double best = *std::max_element(rates_.begin(), rates_.end());
  const auto wanted =
      static_cast<size_t>(best * absl::ToDoubleSeconds(shortest_ + kQueueTime));
  if (doubles_ || wanted >= window_) {
    if (in_flight_ + shown < window_ / 2) return;  // It was not made use of.
    window_ = doubles_ ? window_ + shown : std::min(wanted, window_ + shown);
  } else if (limited) {
    window_ = std::max(kMin, wanted);
  }
  window_ = std::min(window_, kMax);
}

void OutputWindow::Rate(const Sample& sample, bool limited, absl::Time now) {
  const double rate =
      static_cast<double>(shown_ - sample.shown_before) /
      absl::ToDoubleSeconds(std::max(kShortest, now - sample.shown_before_at));
  if (!limited && rate <= *std::max_element(rates_.begin(), rates_.end())) {
    return;
  }
  rates_[next_rate_] = rate;
  next_rate_ = (next_rate_ + 1) % rates_.size();
}

size_t OutputWindow::size() const {
  MutexLock lock(mu_);
  return window_;
}

}  // namespace berth::agent
