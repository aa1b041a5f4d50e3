#include "broker/limits/call_limiter.h"

#include <gtest/gtest.h>

namespace berth::broker {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1000);

TEST(CallLimiterTest, NamesTheLimitAndWhenToTryAgain) {
  CallLimiter limiter({.calls_per_second = 2, .calls_burst = 1});
  const Identity alice{Purpose::kUser, "alice"};
  EXPECT_TRUE(limiter.Check(alice, kNow).ok());
  const absl::Status refused = limiter.Check(alice, kNow);
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_EQ(refused.message(),
            "user 'alice' makes more than 2 calls a second, after 1 at once; "
            "try again in 500ms (`calls_per_second` in [limits])");
  // An agent of that name is another one.
  EXPECT_TRUE(limiter.Check(Identity{Purpose::kAgent, "alice"}, kNow).ok());
  EXPECT_TRUE(limiter.Check(alice, kNow + absl::Milliseconds(500)).ok());
}

TEST(CallLimiterTest, AddressesAreCountedWithoutTheirPorts) {
  CallLimiter limiter({.enrolments_per_second = 1, .enrolments_burst = 1});
  EXPECT_TRUE(limiter.CheckEnrolment("ipv4:192.0.2.7:1", kNow).ok());
  EXPECT_FALSE(limiter.CheckEnrolment("ipv4:192.0.2.7:2", kNow).ok());
  EXPECT_TRUE(limiter.CheckEnrolment("ipv6:[2001:db8::1]:1", kNow).ok());
  EXPECT_FALSE(limiter.CheckEnrolment("ipv6:[2001:db8::1]:9", kNow).ok());
}

TEST(CallLimiterTest, StrangersShareOne) {
  CallLimiter limiter({.enrolments_per_second = 1, .enrolments_burst = 1});
  const absl::Status stranger = absl::UnauthenticatedError("none");
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(limiter.Check(stranger, kNow).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(limiter.Check(stranger, kNow)));
}

}  // namespace
}  // namespace berth::broker
