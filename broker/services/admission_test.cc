#include "broker/services/admission.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace berth::broker {
namespace {

struct Link final : Admission::Applicant {
  void OnAdmitted() override { ++admitted; }
  int admitted = 0;
};

TEST(AdmissionTest, AdmitsAFewAndTheOthersInTheOrderTheyCame) {
  Admission admission({.starting = 2, .waiting = 2});
  Link a, b, c, d, e;
  for (Link* link : {&a, &b, &c, &d}) {
    ASSERT_TRUE(admission.Enter(link).ok());
  }
  EXPECT_EQ(a.admitted + b.admitted, 2);
  EXPECT_EQ(c.admitted + d.admitted, 0);
  const absl::Status refused = admission.Enter(&e);
  EXPECT_TRUE(absl::IsUnavailable(refused));
  EXPECT_EQ(refused.message(),
            "the broker is taking the inventories of 2 computers, and 2 wait, "
            "the most that may; try again later");
  admission.Leave(&b);
  EXPECT_EQ(c.admitted, 1);
  EXPECT_EQ(d.admitted, 0);
  admission.Leave(&b);  // Harmless.
  EXPECT_EQ(d.admitted, 0);
  admission.Leave(&a);
  EXPECT_EQ(d.admitted, 1);
  EXPECT_EQ(admission.counts().admitted, 4u);
  EXPECT_EQ(admission.counts().refused, 1u);
  EXPECT_EQ(admission.counts().most_starting, 2u);
}

TEST(AdmissionTest, WhoLeavesTheQueueIsNeverAdmitted) {
  Admission admission({.starting = 1, .waiting = 2});
  Link a, b, c;
  for (Link* link : {&a, &b, &c}) ASSERT_TRUE(admission.Enter(link).ok());
  admission.Leave(&b);
  admission.Leave(&a);
  EXPECT_EQ(b.admitted, 0);
  EXPECT_EQ(c.admitted, 1);
}

TEST(AdmissionTest, SpreadsThoseWhoComeBack) {
  Admission admission({});
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  absl::Duration last;
  for (int i = 1; i <= 1000; ++i) {
    last = admission.RetryAfter(now);
    EXPECT_GE(last, i * Admission::kSpacing + absl::Milliseconds(100));
    EXPECT_LE(last, i * Admission::kSpacing + absl::Seconds(1));
  }
  EXPECT_GE(last, absl::Seconds(2));
}

TEST(AdmissionTest, NobodyIsSentAwayForLong) {
  Admission admission({});
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  for (int i = 0; i < 50000; ++i) {
    EXPECT_LE(admission.RetryAfter(now),
              Admission::kLongest + absl::Seconds(1));
  }
  // Nor if the clock is set back.
  EXPECT_LE(admission.RetryAfter(now - absl::Hours(1)), absl::Seconds(2));
}

}  // namespace
}  // namespace berth::broker
