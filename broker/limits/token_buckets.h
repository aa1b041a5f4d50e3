#ifndef BERTH_BROKER_LIMITS_TOKEN_BUCKETS_H_
#define BERTH_BROKER_LIMITS_TOKEN_BUCKETS_H_

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace berth::broker {

// TokenBuckets bounds how often each of many may do something: each has
// `burst` at first, and `per_second` more as time goes by, up to `burst`.
// Thread-safe; time is what it is told.
class TokenBuckets {
 public:
  // Who is counted at a time. Past it, whoever has all of their burst is
  // forgotten; if nobody has, new ones share one bucket.
  static constexpr size_t kMaxKeys = 100'000;

  TokenBuckets(double per_second, double burst)
      : per_second_(per_second), burst_(burst) {}

  // Takes one, or `count`, from the bucket of `key`. Zero: it was there. Else
  // how long it takes until it is, and nothing was taken.
  absl::Duration Take(absl::string_view key, absl::Time now, double count = 1)
      ABSL_LOCKS_EXCLUDED(mu_);

  double per_second() const { return per_second_; }
  double burst() const { return burst_; }

 private:
  struct Bucket {
    double tokens;
    absl::Time at;
  };

  Bucket& Find(absl::string_view key, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What a bucket has by now.
  double TokensAt(const Bucket& bucket, absl::Time now) const;

  const double per_second_;
  const double burst_;
  Mutex mu_;
  absl::flat_hash_map<std::string, Bucket> buckets_ ABSL_GUARDED_BY(mu_);
  absl::Time swept_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_LIMITS_TOKEN_BUCKETS_H_
