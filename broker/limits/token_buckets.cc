#include "broker/limits/token_buckets.h"

#include <algorithm>

namespace berth::broker {
namespace {

// The name of nobody: no user or address is empty.
constexpr absl::string_view kShared = "";
constexpr absl::Duration kSweepInterval = absl::Seconds(1);

}  // namespace

double TokenBuckets::TokensAt(const Bucket& bucket, absl::Time now) const {
  const double gained =
      per_second_ * std::max(0.0, absl::ToDoubleSeconds(now - bucket.at));
  return std::min(burst_, bucket.tokens + gained);
}

TokenBuckets::Bucket& TokenBuckets::Find(absl::string_view key,
                                         absl::Time now) {
  auto found = buckets_.find(key);
  if (found != buckets_.end()) return found->second;
  if (buckets_.size() >= kMaxKeys && now - swept_at_ >= kSweepInterval) {
    swept_at_ = now;
    absl::erase_if(buckets_, [&](const auto& entry) {
      return TokensAt(entry.second, now) >= burst_;
    });
  }
  if (buckets_.size() >= kMaxKeys) key = kShared;
  return buckets_.try_emplace(key, Bucket{burst_, now}).first->second;
}

absl::Duration TokenBuckets::Take(absl::string_view key, absl::Time now,
                                  double count) {
  MutexLock lock(mu_);
  Bucket& bucket = Find(key, now);
  bucket.tokens = TokensAt(bucket, now);
  bucket.at = std::max(bucket.at, now);
  if (bucket.tokens >= count) {
    bucket.tokens -= count;
    return absl::ZeroDuration();
  }
  return absl::Seconds((count - bucket.tokens) / per_second_);
}

}  // namespace berth::broker
