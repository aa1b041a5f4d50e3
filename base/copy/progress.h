#ifndef BERTH_BASE_COPY_PROGRESS_H_
#define BERTH_BASE_COPY_PROGRESS_H_

#include <cstdint>
#include <string>

#include "base/mutex.h"

namespace berth::copy {

// How far a copy is, for somebody who looks now and then. Thread-safe.
class Progress {
 public:
  struct Values {
    uint64_t bytes = 0;
    uint64_t files = 0;
    bool has_total = false;
    uint64_t total_bytes = 0;
    uint64_t total_files = 0;
    std::string name;  // Of the file at hand. Untrusted.
  };

  Values Get() const ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    return values_;
  }
  void AddBytes(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    values_.bytes += bytes;
  }
  void AddFiles(int64_t files) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    values_.files += files;
  }
  void SetName(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    values_.name = name;
  }
  void SetTotal(uint64_t bytes, uint64_t files) ABSL_LOCKS_EXCLUDED(mu_) {
    MutexLock lock(mu_);
    values_.has_total = true;
    values_.total_bytes = bytes;
    values_.total_files = files;
  }

 private:
  mutable Mutex mu_;
  Values values_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_PROGRESS_H_
