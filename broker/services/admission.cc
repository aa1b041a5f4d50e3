#include "broker/services/admission.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace berth::broker {
namespace {

// So that those who were told at the same moment do not come at the same one.
constexpr absl::Duration kLeastJitter = absl::Milliseconds(100);
constexpr absl::Duration kMostJitter = absl::Seconds(1);

}  // namespace

absl::Status Admission::Enter(Applicant* applicant) {
  MutexLock lock(mu_);
  if (starting_.size() < limits_.starting) {
    AdmitLocked(applicant);
  } else if (waiting_.size() < limits_.waiting) {
    waiting_.push_back(applicant);
  } else {
    ++counts_.refused;
    return absl::UnavailableError(
        absl::StrCat("the broker is taking the inventories of ",
                     limits_.starting, " computers, and ", limits_.waiting,
                     " wait, the most that may; try again later"));
  }
  return absl::OkStatus();
}

void Admission::AdmitLocked(Applicant* applicant) {
  starting_.insert(applicant);
  ++counts_.admitted;
  counts_.most_starting = std::max(counts_.most_starting, starting_.size());
  applicant->OnAdmitted();
}

void Admission::Leave(Applicant* applicant) {
  MutexLock lock(mu_);
  if (starting_.erase(applicant) == 0) {
    // Most often it left before.
    auto found = std::find(waiting_.begin(), waiting_.end(), applicant);
    if (found != waiting_.end()) waiting_.erase(found);
    return;
  }
  while (!waiting_.empty() && starting_.size() < limits_.starting) {
    Applicant* next = waiting_.front();
    waiting_.pop_front();
    AdmitLocked(next);
  }
}

absl::Duration Admission::RetryAfter(absl::Time now) {
  MutexLock lock(mu_);
  // Those who wait come first. A clock that jumped must not keep anybody away.
  const absl::Time first = now + waiting_.size() * kSpacing;
  if (next_ > now + kLongest) next_ = first;
  next_ = std::max(next_, first) + kSpacing;
  const absl::Duration jitter =
      kLeastJitter +
      absl::Uniform(random_, 0.0, 1.0) * (kMostJitter - kLeastJitter);
  return std::min(next_ - now, kLongest) + jitter;
}

Admission::Counts Admission::counts() const {
  MutexLock lock(mu_);
  return counts_;
}

}  // namespace berth::broker
