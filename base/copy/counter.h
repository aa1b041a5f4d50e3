#ifndef BERTH_BASE_COPY_COUNTER_H_
#define BERTH_BASE_COPY_COUNTER_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>

#include "base/copy/walker.h"

namespace berth::copy {

// Counts what a walk will find, on a thread of its own, for those who want to
// know how long it will take.
class Counter {
 public:
  struct Total {
    uint64_t bytes = 0;
    uint64_t files = 0;
  };

  explicit Counter(Walker::Options walk) {
    walk.only_stat = true;
    walk.after.reset();
    thread_ = std::thread([this, walk = std::move(walk)] { Count(walk); });
  }
  ~Counter() {
    stopping_ = true;
    thread_.join();
  }

  bool done() const { return done_; }
  // Once done.
  const Total& total() const { return total_; }

 private:
  void Count(const Walker::Options& walk) {
    Walker walker(walk);
    for (Step step = walker.Next(); step.kind != Step::Kind::kEnd;
         step = walker.Next()) {
      if (stopping_) return;
      if (step.kind != Step::Kind::kFile) continue;
      total_.bytes += step.info.st_size;
      ++total_.files;
    }
    done_ = true;
  }

  std::atomic<bool> stopping_ = false;
  std::atomic<bool> done_ = false;
  Total total_;
  std::thread thread_;
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_COUNTER_H_
