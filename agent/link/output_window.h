#ifndef BERTH_AGENT_LINK_OUTPUT_WINDOW_H_
#define BERTH_AGENT_LINK_OUTPUT_WINDOW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace berth::agent {

// How much output may be on its way to a client: as much as keeps the slowest
// part of the way busy, and what that part sends in kQueueTime more. So
// nothing queues up in the programs and kernels between, wherever it is narrow,
// and what comes next (the end after an interrupt, another session's answer) is
// never far behind. It grows by what arrives, until more sent ahead brings no
// more. Thread-safe: one thread sends, another hears what was shown.
//
// Positions are offsets of output that only grow, until Begin(). Times are
// those of a monotonic clock.
class OutputWindow {
 public:
  // Small enough that a link of 500 kB/s is done with it in kQueueTime, and
  // more than what a client takes before it says so.
  static constexpr size_t kMin = 48 << 10;
  static constexpr size_t kInitial = 128 << 10;
  // Other things bound what is under way long before this.
  static constexpr size_t kMax = 256 << 20;
  // A frame is at most this, or a quarter of the window: it is shown, and told
  // of, as a whole.
  static constexpr size_t kMaxFrame = 256 << 10;
  static constexpr absl::Duration kQueueTime = absl::Milliseconds(80);

  // Positions begin anew. What was learned of the link is kept.
  void Begin() ABSL_LOCKS_EXCLUDED(mu_);

  // How many bytes the next frame may have; 0: wait until Shown() is true.
  size_t Room() ABSL_LOCKS_EXCLUDED(mu_);

  // `bytes` that end at `end` were sent. `all`: there is no more at present,
  // so the time they take says nothing of how much could be sent.
  void Sent(uint64_t end, size_t bytes, bool all, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);

  // All before `end` was shown. True: there is room again, after there was
  // none.
  bool Shown(uint64_t end, absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

  // Its size at present.
  size_t size() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Sample {
    uint64_t end;
    size_t bytes;
    bool all;
    absl::Time sent_at;
    // When it was sent: bytes shown, and when the last of them were.
    uint64_t shown_before;
    absl::Time shown_before_at;
  };

  size_t RoomLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Learn(const Sample& sample, size_t shown, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Notes the rate at which things arrived.
  void Rate(const Sample& sample, bool limited, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  std::deque<Sample> samples_ ABSL_GUARDED_BY(mu_);
  size_t in_flight_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t shown_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Time shown_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  size_t window_ ABSL_GUARDED_BY(mu_) = kInitial;
  // At first, twice as much goes out each time, until a queue is noticed.
  bool doubles_ ABSL_GUARDED_BY(mu_) = true;
  bool waits_ ABSL_GUARDED_BY(mu_) = false;
  // The shortest time from sending to hearing: that of an empty way.
  absl::Duration shortest_ ABSL_GUARDED_BY(mu_) = absl::InfiniteDuration();
  // Bytes a second, of the last times that something was shown.
  std::array<double, 10> rates_ ABSL_GUARDED_BY(mu_) = {};
  size_t next_rate_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_OUTPUT_WINDOW_H_
