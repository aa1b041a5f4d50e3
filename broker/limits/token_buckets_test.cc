#include "broker/limits/token_buckets.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

TEST(TokenBucketsTest, HasItsBurstAndThenItsRate) {
  TokenBuckets buckets(10, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(buckets.Take("a", kStart), absl::ZeroDuration());
  }
  EXPECT_EQ(buckets.Take("a", kStart), absl::Milliseconds(100));
  EXPECT_EQ(buckets.Take("a", kStart + absl::Milliseconds(60)),
            absl::Milliseconds(40));
  EXPECT_EQ(buckets.Take("a", kStart + absl::Milliseconds(101)),
            absl::ZeroDuration());
  // Never more than the burst, however long nothing came.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(buckets.Take("a", kStart + absl::Hours(1)), absl::ZeroDuration());
  }
  EXPECT_GT(buckets.Take("a", kStart + absl::Hours(1)), absl::ZeroDuration());
}

TEST(TokenBucketsTest, OneTakesNothingFromAnother) {
  TokenBuckets buckets(1, 1);
  EXPECT_EQ(buckets.Take("a", kStart), absl::ZeroDuration());
  EXPECT_NE(buckets.Take("a", kStart), absl::ZeroDuration());
  EXPECT_EQ(buckets.Take("b", kStart), absl::ZeroDuration());
}

TEST(TokenBucketsTest, AClockThatGoesBackGivesNothing) {
  TokenBuckets buckets(1, 1);
  EXPECT_EQ(buckets.Take("a", kStart), absl::ZeroDuration());
  EXPECT_NE(buckets.Take("a", kStart - absl::Hours(1)), absl::ZeroDuration());
  EXPECT_NE(buckets.Take("a", kStart), absl::ZeroDuration());
}

TEST(TokenBucketsTest, NewOnesShareABucketWhenThereAreTooMany) {
  TokenBuckets buckets(1, 2);
  for (size_t i = 0; i < TokenBuckets::kMaxKeys; ++i) {
    buckets.Take(absl::StrCat("k", i), kStart);
  }
  EXPECT_EQ(buckets.Take("x", kStart), absl::ZeroDuration());
  EXPECT_EQ(buckets.Take("y", kStart), absl::ZeroDuration());
  EXPECT_NE(buckets.Take("z", kStart), absl::ZeroDuration());
  // Later all are full again, and forgotten.
  const absl::Time later = kStart + absl::Seconds(10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(buckets.Take(absl::StrCat("n", i), later), absl::ZeroDuration());
  }
}

}  // namespace
}  // namespace berth::broker
