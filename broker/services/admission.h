#ifndef BERTH_BROKER_SERVICES_ADMISSION_H_
#define BERTH_BROKER_SERVICES_ADMISSION_H_

#include <cstddef>
#include <list>

#include "absl/container/flat_hash_set.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace berth::broker {

// Admission decides which agents may say hello now. After a restart a whole
// fleet comes at once; taking its inventories is what costs memory and the
// registry's lock, so only a few do it at a time, some wait for their turn,
// and the others are told when to come back. Thread-safe.
class Admission {
 public:
  struct Limits {
    // Links whose inventory may be under way at a time.
    size_t starting = 32;
    // Links that may wait for their turn.
    size_t waiting = 2000;
  };

  // A link that wants in. Knows when to give its place back.
  class Applicant {
   public:
    virtual ~Applicant() = default;
    // It is its turn. Runs under the lock of the Admission, so that it never
    // runs after Leave(); must not call back.
    virtual void OnAdmitted() = 0;
  };

  // What happened since the start.
  struct Counts {
    size_t admitted = 0;
    size_t refused = 0;
    size_t most_starting = 0;
  };

  // Links that are told to come back are spread like this: well below what
  // one core takes, so that clients are served meanwhile.
  static constexpr absl::Duration kSpacing = absl::Milliseconds(2);
  // Nobody is sent away for longer.
  static constexpr absl::Duration kLongest = absl::Seconds(20);

  explicit Admission(const Limits& limits) : limits_(limits) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Calls OnAdmitted() now or later; Leave() must follow. Unavailable: too many
  // wait already, and `applicant` is forgotten.
  absl::Status Enter(Applicant* applicant) ABSL_LOCKS_EXCLUDED(mu_);

  // Its inventory was taken, or it does not want in any more. Harmless if it
  // has left.
  void Leave(Applicant* applicant) ABSL_LOCKS_EXCLUDED(mu_);

  // When a link that is sent away should come back: one after another, behind
  // those who were sent away before, with some jitter.
  absl::Duration RetryAfter(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

  Counts counts() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void AdmitLocked(Applicant* applicant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Limits limits_;
  mutable Mutex mu_;
  absl::BitGen random_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_set<Applicant*> starting_ ABSL_GUARDED_BY(mu_);
  std::list<Applicant*> waiting_ ABSL_GUARDED_BY(mu_);
  Counts counts_ ABSL_GUARDED_BY(mu_);
  // When the next one that is sent away should come.
  absl::Time next_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_ADMISSION_H_
