#ifndef BERTH_BROKER_APPROVALS_APPROVAL_BOOK_H_
#define BERTH_BROKER_APPROVALS_APPROVAL_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/policy/policy.h"
#include "proto/berth/v1/approvals.pb.h"

namespace berth::broker {

// ApprovalBook knows who has asked for roles that need approvals, and what
// became of it. Times are the wall clock's, as others see them. Thread-safe;
// knows neither gRPC nor the store.
class ApprovalBook {
 public:
  // Keeps a request (empty bytes: forgets it). Called with the lock held: must
  // not block, nor call back.
  using Keep = std::function<void(const std::string& id, std::string bytes)>;
  // The policy that holds.
  struct Current {
    std::shared_ptr<const Policy> policy;
    uint32_t version;
  };

  // Of one user.
  static constexpr size_t kMaxOpen = 20;
  // All that are remembered; beyond it the oldest that are over go first.
  static constexpr size_t kMaxKept = 10'000;
  static constexpr absl::Duration kMemory = absl::Hours(7 * 24);
  // How long a request waits for approvals.
  static constexpr absl::Duration kOpenFor = absl::Hours(4);
  static constexpr size_t kMaxReason = 200;
  static constexpr size_t kMaxWaiting = 1000;

  explicit ApprovalBook(Keep keep) : keep_(std::move(keep)) {}

  // Takes over what was kept. DataLoss if it can't be read.
  absl::Status Load(const std::string& id, const std::string& bytes)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Whether `role` grants what it says to `user` now, under that version.
  bool IsGranted(absl::string_view user, absl::string_view role,
                 uint32_t version, absl::Time now) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // As the rpcs of berth.v1.Approvals say. `admin`: whether `user` is an
  // administrator.
  absl::StatusOr<v1::Approval> Request(
      const std::string& user, const v1::RequestApprovalRequest& request,
      const Current& current, absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<v1::Approval> List(const std::string& user, bool admin, bool all,
                                 const Current& current, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<v1::Approval> Decide(const std::string& user,
                                      const v1::DecideApprovalRequest& request,
                                      const Current& current, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<v1::Approval> Withdraw(
      const std::string& user, bool admin,
      const v1::WithdrawApprovalRequest& request, const Current& current,
      absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `done` once, without locks held, when the request is not open any
  // more: maybe at once, before this returns. Returns a number for
  // StopWaiting(). NotFound. ResourceExhausted.
  using Done = std::function<void(const v1::Approval&)>;
  absl::StatusOr<uint64_t> Wait(const std::string& user, bool admin,
                                const std::string& id, const Current& current,
                                Done done) ABSL_LOCKS_EXCLUDED(mu_);
  void StopWaiting(uint64_t waiting) ABSL_LOCKS_EXCLUDED(mu_);

  // Ends what is about another version of the policy, and what has had its
  // time; forgets what is long over. Returns what it has ended.
  std::vector<v1::Approval> Tidy(uint32_t version, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mu_);
  // When something has had its time; InfiniteFuture: nothing will.
  absl::Time NextEnd() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Waiting {
    std::string id;
    Done done;
  };

  absl::StatusOr<v1::Approval*> FindLocked(const std::string& user, bool admin,
                                           const std::string& id,
                                           const Current& current)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CloseLocked(v1::Approval& approval, v1::ApprovalState state,
                   const std::string& by, const std::string& reason,
                   absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetLocked(absl::Time before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Calls, to be made without the lock, to those that wait for what is not open
  // any more.
  using Calls = std::vector<std::pair<Done, v1::Approval>>;
  Calls TakeWaitingLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Keep keep_;
  mutable Mutex mu_;
  std::map<std::string, v1::Approval> approvals_ ABSL_GUARDED_BY(mu_);
  uint64_t last_waiting_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<uint64_t, Waiting> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_APPROVALS_APPROVAL_BOOK_H_
