#ifndef BERTH_BROKER_LIMITS_CALL_LIMITER_H_
#define BERTH_BROKER_LIMITS_CALL_LIMITER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/tls/identity.h"
#include "broker/limits/token_buckets.h"

namespace berth::broker {

// CallLimiter bounds how often one may call, before anything that costs more
// is done: each user and agent by name, and those without a certificate, who
// can only enrol, by address and all together. Thread-safe.
class CallLimiter {
 public:
  struct Limits {
    // Of one user or agent. A command on thousands of computers begins with
    // some calls for each.
    double calls_per_second = 2'000;
    double calls_burst = 40'000;
    // Enrolments of one address; of all, ten times that.
    double enrolments_per_second = 20;
    double enrolments_burst = 1'000;
  };

  explicit CallLimiter(const Limits& limits);

  // A call of `caller`; not OK: of one without a certificate.
  // ResourceExhausted names the limit, and when to try again.
  absl::Status Check(const absl::StatusOr<Identity>& caller, absl::Time now);
  // An enrolment from `peer`, as gRPC writes it. As above.
  absl::Status CheckEnrolment(const std::string& peer, absl::Time now);

 private:
  TokenBuckets calls_;
  TokenBuckets enrolments_;
  TokenBuckets strangers_;
};

// "ipv4:192.0.2.7:51234" without the port.
absl::string_view AddressOf(absl::string_view peer);

}  // namespace berth::broker

#endif  // BERTH_BROKER_LIMITS_CALL_LIMITER_H_
