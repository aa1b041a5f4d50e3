#include "agent/link/output_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>

namespace berth::agent {
namespace {

// A link of a rate and a delay there and back, with a queue before it, as long
// as it may become. The other end tells what it has as a client does: when it
// is much, for the rate that it comes at, and after 100 ms.
class Link {
 public:
  Link(double rate, absl::Duration delay) : rate_(rate), delay_(delay) {}

  void set_rate(double rate) { rate_ = rate; }
  void set_delay(absl::Duration delay) { delay_ = delay; }

  // Sends as much as the window allows, for that long.
  void Flood(absl::Duration time) {
    const absl::Time end = now_ + time;
    while (now_ < end) {
      while (const size_t room = window_.Room()) Send(room, /*all=*/false);
      Step();
    }
  }

  void Send(size_t bytes, bool all) {
    sent_ += bytes;
    busy_until_ = std::max(busy_until_, now_) + absl::Seconds(bytes / rate_);
    window_.Sent(sent_, bytes, all, now_);
    arrivals_.push_back({sent_, busy_until_ + delay_});
  }

  // One millisecond.
  void Step() {
    now_ += absl::Milliseconds(1);
    while (!arrivals_.empty() && arrivals_.front().at <= now_) {
      arrived_ = arrivals_.front().end;
      arrivals_.pop_front();
    }
    const uint64_t untold = arrived_ - told_;
    const absl::Duration wait =
        absl::Milliseconds(untold >= kMinPace ? 20 : 100);
    if (untold >= pace_ || (untold > 0 && now_ - told_at_ >= wait)) {
      const absl::Duration since = now_ - told_at_;
      if (since < absl::Milliseconds(5)) pace_ = std::min(2 * pace_, kMaxPace);
      if (since > absl::Milliseconds(20)) pace_ = std::max(pace_ / 2, kMinPace);
      told_ = arrived_;
      told_at_ = now_;
      window_.Shown(told_, now_);
    }
  }

  // How long something sent now would wait for what is before it.
  absl::Duration Queue() const {
    return std::max(absl::ZeroDuration(), busy_until_ - now_);
  }
  uint64_t arrived() const { return arrived_; }
  OutputWindow& window() { return window_; }

 private:
  static constexpr size_t kMinPace = 32 << 10;
  static constexpr size_t kMaxPace = 1 << 20;
  struct Arrival {
    uint64_t end;
    absl::Time at;
  };

  double rate_;
  absl::Duration delay_;
  size_t pace_ = kMinPace;
  OutputWindow window_;
  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  absl::Time busy_until_ = absl::UnixEpoch();
  absl::Time told_at_ = now_;
  std::deque<Arrival> arrivals_;
  uint64_t sent_ = 0;
  uint64_t arrived_ = 0;
  uint64_t told_ = 0;
};

TEST(OutputWindowTest, SlowLinkIsKeptBusyAndItsQueueShort) {
  Link link(1e6, absl::Milliseconds(50));
  link.Flood(absl::Seconds(2));
  const uint64_t before = link.arrived();
  absl::Duration longest;
  for (int i = 0; i < 100; ++i) {
    link.Flood(absl::Milliseconds(50));
    longest = std::max(longest, link.Queue());
  }
  EXPECT_GT(link.arrived() - before, 4.7e6);  // Of 5 million.
  EXPECT_LT(longest, absl::Milliseconds(150));
}

TEST(OutputWindowTest, FastLinkIsNotHeldBack) {
  Link link(400e6, absl::Milliseconds(1));
  link.Flood(absl::Milliseconds(100));
  const uint64_t before = link.arrived();
  link.Flood(absl::Seconds(1));
  EXPECT_GT(link.arrived() - before, 390e6);
}

TEST(OutputWindowTest, LongFatLinkIsFilledInAFewRoundTrips) {
  Link link(100e6, absl::Milliseconds(200));
  link.Flood(absl::Seconds(4));
  const uint64_t before = link.arrived();
  link.Flood(absl::Seconds(1));
  EXPECT_GT(link.arrived() - before, 90e6);
}

TEST(OutputWindowTest, LinkThatBecomesSlowHasAShortQueueSoon) {
  Link link(100e6, absl::Milliseconds(20));
  link.Flood(absl::Seconds(1));
  link.set_rate(1e6);
  link.Flood(absl::Seconds(30));
  EXPECT_LT(link.Queue(), absl::Milliseconds(150));
}

TEST(OutputWindowTest, LinkThatBecomesLongIsFilledAgain) {
  Link link(10e6, absl::Milliseconds(5));
  link.Flood(absl::Seconds(1));
  link.set_delay(absl::Milliseconds(300));
  link.Flood(absl::Seconds(10));
  const uint64_t before = link.arrived();
  link.Flood(absl::Seconds(5));
  EXPECT_GT(link.arrived() - before, 40e6);
}

TEST(OutputWindowTest, LittleOutputDoesNotChangeIt) {
  Link link(10e6, absl::Milliseconds(20));
  link.Flood(absl::Seconds(2));
  const size_t size = link.window().size();
  for (int i = 0; i < 1000; ++i) {
    link.Send(10, /*all=*/true);
    for (int j = 0; j < 5; ++j) link.Step();
  }
  EXPECT_EQ(link.window().size(), size);
}

TEST(OutputWindowTest, ReaderThatStopsStopsTheSender) {
  OutputWindow window;
  const absl::Time now = absl::UnixEpoch();
  size_t sent = 0;
  while (const size_t room = window.Room()) {
    sent += room;
    window.Sent(sent, room, false, now);
  }
  EXPECT_LE(sent, OutputWindow::kInitial);
  EXPECT_FALSE(window.Shown(0, now + absl::Hours(1)));
  EXPECT_TRUE(window.Shown(sent, now + absl::Hours(1)));
  EXPECT_GT(window.Room(), 0u);
}

TEST(OutputWindowTest, NextCommandBeginsAtItsOwnOffset) {
  OutputWindow window;
  const absl::Time now = absl::UnixEpoch();
  window.Sent(1000000, 100000, false, now);
  window.Begin();
  window.Sent(10, 10, true, now);
  EXPECT_FALSE(window.Shown(5, now));
  EXPECT_FALSE(window.Shown(10, now));  // There was room all the time.
}

}  // namespace
}  // namespace berth::agent
