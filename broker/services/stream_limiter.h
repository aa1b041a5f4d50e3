#ifndef BERTH_BROKER_SERVICES_STREAM_LIMITER_H_
#define BERTH_BROKER_SERVICES_STREAM_LIMITER_H_

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/mutex.h"

namespace berth::broker {

// StreamLimiter bounds how many streams one user may have open, and with them
// the memory that a user can take. Thread-safe.
class StreamLimiter {
 public:
  // A splice holds at most a few MiB; this many are for whole fleets at once.
  static constexpr size_t kMaxStreams = 2000;

  // Counts one more stream of `user`. ResourceExhausted.
  absl::Status Add(const std::string& user) ABSL_LOCKS_EXCLUDED(mu_);
  // A stream that was counted has ended.
  void Remove(const std::string& user) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Mutex mu_;
  absl::flat_hash_map<std::string, size_t> streams_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_STREAM_LIMITER_H_
