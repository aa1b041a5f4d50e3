#include "broker/services/stream_limiter.h"

#include <gtest/gtest.h>

namespace berth::broker {
namespace {

TEST(StreamLimiterTest, BoundsEachUserAlone) {
  StreamLimiter limiter;
  for (size_t i = 0; i < StreamLimiter::kMaxStreams; ++i) {
    ASSERT_TRUE(limiter.Add("ann").ok());
  }
  absl::Status status = limiter.Add("ann");
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(),
            "user 'ann' has 2000 of 2000 streams open; end some first");
  EXPECT_TRUE(limiter.Add("bob").ok());
  limiter.Remove("ann");
  EXPECT_TRUE(limiter.Add("ann").ok());
  limiter.Remove("nobody");
}

}  // namespace
}  // namespace berth::broker
