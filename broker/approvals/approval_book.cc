#include "broker/approvals/approval_book.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::broker {
namespace {

bool IsOpen(const v1::Approval& approval) {
  return approval.state() == v1::APPROVAL_STATE_OPEN;
}

// Open or granted: something may still become of it.
bool IsLive(const v1::Approval& approval) {
  return IsOpen(approval) || approval.state() == v1::APPROVAL_STATE_GRANTED;
}

const Role* FindRole(const Policy& policy, absl::string_view name) {
  const auto role =
      std::find_if(policy.roles().begin(), policy.roles().end(),
                   [&](const Role& role) { return role.name == name; });
  return role == policy.roles().end() ? nullptr : &*role;
}

bool IsApprover(const ApprovalBook::Current& current, const std::string& user,
                const v1::Approval& approval) {
  const Role* role = FindRole(*current.policy, approval.role());
  return role != nullptr && approval.policy_version() == current.version &&
         role->HasApprover(user);
}

std::string Quote(absl::string_view text) {
  return absl::StrCat("'", EscapeForTerminal(text.substr(0, 80)), "'");
}

absl::Status CheckReason(absl::string_view reason) {
  if (reason.size() <= ApprovalBook::kMaxReason) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a reason of ", reason.size(), " bytes; ",
                   ApprovalBook::kMaxReason, " at most"));
}

absl::Status CheckOpen(const v1::Approval& approval) {
  if (IsOpen(approval)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("request ", approval.id(),
                   " is not open any more; see 'berth approval "
                   "ls --all'"));
}

template <typename Calls>
void Make(const Calls& calls) {
  for (const auto& [done, approval] : calls) done(approval);
}

}  // namespace

absl::Status ApprovalBook::Load(const std::string& id,
                                const std::string& bytes) {
  MutexLock lock(mu_);
  if (approvals_[id].ParseFromString(bytes)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the registry's approval ", Quote(id), " can't be read"));
}

bool ApprovalBook::IsGranted(absl::string_view user, absl::string_view role,
                             uint32_t version, absl::Time now) const {
  MutexLock lock(mu_);
  return std::any_of(
      approvals_.begin(), approvals_.end(), [&](const auto& entry) {
        const v1::Approval& approval = entry.second;
        return approval.state() == v1::APPROVAL_STATE_GRANTED &&
               approval.user() == user && approval.role() == role &&
               approval.policy_version() == version &&
               now < FromProto(approval.ends_at());
      });
}

absl::StatusOr<v1::Approval> ApprovalBook::Request(
    const std::string& user, const v1::RequestApprovalRequest& request,
    const Current& current, absl::Time now) {
  BERTH_RETURN_IF_ERROR(CheckReason(request.reason()));
  const Role* role = FindRole(*current.policy, request.role());
  if (role == nullptr || !role->NeedsApproval() || !role->HasUser(user)) {
    return absl::NotFoundError(absl::StrCat("no role ", Quote(request.role()),
                                            " that user ", Quote(user),
                                            " could have by approvals"));
  }
  absl::Duration lifetime = role->approved_for;
  if (request.has_lifetime()) {
    lifetime = FromProto(request.lifetime());
    if (lifetime <= absl::ZeroDuration() || lifetime > role->approved_for) {
      return absl::InvalidArgumentError(
          absl::StrCat("role ", Quote(role->name), " can be had for at most ",
                       absl::FormatDuration(role->approved_for),
                       " at a time, not for ", absl::FormatDuration(lifetime)));
    }
  }
  MutexLock lock(mu_);
  size_t open = 0;
  for (const auto& [id, other] : approvals_) {
    if (other.user() != user || !IsLive(other) ||
        now >= FromProto(other.ends_at()) ||
        other.policy_version() != current.version) {
      continue;
    }
    if (other.role() == role->name) {
      return absl::AlreadyExistsError(absl::StrCat(
          "request ", id, " of user ", Quote(user), " for role ",
          Quote(role->name), " is ", IsOpen(other) ? "open" : "granted",
          " already; 'berth approval withdraw ", id, "' ends it"));
    }
    if (IsOpen(other) && ++open >= kMaxOpen) {
      return absl::ResourceExhaustedError(
          absl::StrCat("user ", Quote(user), " has ", kMaxOpen,
                       " open requests; withdraw one of them"));
    }
  }
  v1::Approval approval;
  do {
    approval.set_id(NewUuid().substr(0, 8));
  } while (approvals_.contains(approval.id()));
  approval.set_user(user);
  approval.set_role(role->name);
  approval.set_reason(request.reason());
  approval.set_state(v1::APPROVAL_STATE_OPEN);
  approval.set_needed(role->approvals);
  *approval.mutable_requested_at() = ToProto(now);
  *approval.mutable_ends_at() = ToProto(now + kOpenFor);
  *approval.mutable_lifetime() = ToProto(lifetime);
  approval.set_policy_version(current.version);
  keep_(approval.id(), approval.SerializeAsString());
  approvals_[approval.id()] = approval;
  return approval;
}

std::vector<v1::Approval> ApprovalBook::List(const std::string& user,
                                             bool admin, bool all,
                                             const Current& current,
                                             absl::Time now) {
  std::vector<v1::Approval> found;
  {
    MutexLock lock(mu_);
    for (const auto& [id, approval] : approvals_) {
      const bool live = IsLive(approval) &&
                        now < FromProto(approval.ends_at()) &&
                        approval.policy_version() == current.version;
      if (!all && !live) continue;
      if (admin || approval.user() == user ||
          IsApprover(current, user, approval)) {
        found.push_back(approval);
      }
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return FromProto(a.requested_at()) > FromProto(b.requested_at());
  });
  return found;
}

absl::StatusOr<v1::Approval*> ApprovalBook::FindLocked(const std::string& user,
                                                       bool admin,
                                                       const std::string& id,
                                                       const Current& current) {
  const auto found = approvals_.find(id);
  if (found == approvals_.end() ||
      !(admin || found->second.user() == user ||
        IsApprover(current, user, found->second))) {
    return absl::NotFoundError(
        absl::StrCat("no request ", Quote(id), "; see 'berth approval ls'"));
  }
  return &found->second;
}

absl::StatusOr<v1::Approval> ApprovalBook::Decide(
    const std::string& user, const v1::DecideApprovalRequest& request,
    const Current& current, absl::Time now) {
  BERTH_RETURN_IF_ERROR(CheckReason(request.reason()));
  Calls told;
  v1::Approval result;
  {
    MutexLock lock(mu_);
    BERTH_ASSIGN_OR_RETURN(
        v1::Approval * approval,
        FindLocked(user, /*admin=*/false, request.id(), current));
    if (approval->user() == user) {
      return absl::PermissionDeniedError(
          absl::StrCat("request ", request.id(), " is of user ", Quote(user),
                       " themselves: somebody else must decide on it"));
    }
    if (now >= FromProto(approval->ends_at()) && IsOpen(*approval)) {
      CloseLocked(*approval, v1::APPROVAL_STATE_EXPIRED, "", "", now);
    }
    BERTH_RETURN_IF_ERROR(CheckOpen(*approval));
    if (!request.approve()) {
      CloseLocked(*approval, v1::APPROVAL_STATE_DENIED, user, request.reason(),
                  now);
    } else {
      const auto& by = approval->approved_by();
      if (std::find(by.begin(), by.end(), user) != by.end()) {
        return absl::FailedPreconditionError(
            absl::StrCat("user ", Quote(user), " has approved request ",
                         request.id(), " already; it waits for others"));
      }
      approval->add_approved_by(user);
      if (approval->approved_by_size() >=
          static_cast<int>(approval->needed())) {
        approval->set_state(v1::APPROVAL_STATE_GRANTED);
        *approval->mutable_ends_at() =
            ToProto(now + FromProto(approval->lifetime()));
      }
      keep_(approval->id(), approval->SerializeAsString());
    }
    result = *approval;
    told = TakeWaitingLocked();
  }
  Make(told);
  return result;
}

absl::StatusOr<v1::Approval> ApprovalBook::Withdraw(
    const std::string& user, bool admin,
    const v1::WithdrawApprovalRequest& request, const Current& current,
    absl::Time now) {
  BERTH_RETURN_IF_ERROR(CheckReason(request.reason()));
  Calls told;
  v1::Approval result;
  {
    MutexLock lock(mu_);
    BERTH_ASSIGN_OR_RETURN(v1::Approval * approval,
                           FindLocked(user, admin, request.id(), current));
    if (!IsLive(*approval)) {
      return absl::FailedPreconditionError(
          absl::StrCat("request ", request.id(), " is over already"));
    }
    CloseLocked(*approval, v1::APPROVAL_STATE_WITHDRAWN, user, request.reason(),
                now);
    result = *approval;
    told = TakeWaitingLocked();
  }
  Make(told);
  return result;
}

absl::StatusOr<uint64_t> ApprovalBook::Wait(const std::string& user, bool admin,
                                            const std::string& id,
                                            const Current& current, Done done) {
  Calls told;
  uint64_t number;
  {
    MutexLock lock(mu_);
    BERTH_RETURN_IF_ERROR(FindLocked(user, admin, id, current).status());
    if (waiting_.size() >= kMaxWaiting) {
      return absl::ResourceExhaustedError(
          absl::StrCat(kMaxWaiting,
                       " clients wait for approvals; look from time to time "
                       "with 'berth approval ls'"));
    }
    number = ++last_waiting_;
    waiting_[number] = {id, std::move(done)};
    told = TakeWaitingLocked();
  }
  Make(told);
  return number;
}

void ApprovalBook::StopWaiting(uint64_t waiting) {
  Waiting stopped;  // Let go without the lock.
  MutexLock lock(mu_);
  const auto found = waiting_.find(waiting);
  if (found == waiting_.end()) return;
  stopped = std::move(found->second);
  waiting_.erase(found);
}

std::vector<v1::Approval> ApprovalBook::Tidy(uint32_t version, absl::Time now) {
  std::vector<v1::Approval> ended;
  Calls told;
  {
    MutexLock lock(mu_);
    for (auto& [id, approval] : approvals_) {
      if (!IsLive(approval)) continue;
      const bool other = approval.policy_version() != version;
      if (!other && now < FromProto(approval.ends_at())) continue;
      CloseLocked(approval,
                  IsOpen(approval) ? v1::APPROVAL_STATE_EXPIRED
                                   : v1::APPROVAL_STATE_ENDED,
                  "", other ? "there is a new policy" : "", now);
      ended.push_back(approval);
    }
    ForgetLocked(now - kMemory);
    told = TakeWaitingLocked();
  }
  Make(told);
  return ended;
}

absl::Time ApprovalBook::NextEnd() const {
  absl::Time next = absl::InfiniteFuture();
  MutexLock lock(mu_);
  for (const auto& [id, approval] : approvals_) {
    if (IsLive(approval)) next = std::min(next, FromProto(approval.ends_at()));
  }
  return next;
}

void ApprovalBook::CloseLocked(v1::Approval& approval, v1::ApprovalState state,
                               const std::string& by, const std::string& reason,
                               absl::Time now) {
  approval.set_state(state);
  approval.set_closed_by(by);
  approval.set_close_reason(reason);
  *approval.mutable_ends_at() = ToProto(now);
  keep_(approval.id(), approval.SerializeAsString());
}

void ApprovalBook::ForgetLocked(absl::Time before) {
  std::vector<std::pair<absl::Time, std::string>> over;
  for (const auto& [id, approval] : approvals_) {
    if (!IsLive(approval)) over.emplace_back(FromProto(approval.ends_at()), id);
  }
  std::sort(over.begin(), over.end());
  for (const auto& [at, id] : over) {
    if (at >= before && approvals_.size() <= kMaxKept) return;
    approvals_.erase(id);
    keep_(id, "");
  }
}

ApprovalBook::Calls ApprovalBook::TakeWaitingLocked() {
  Calls calls;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const v1::Approval& approval = approvals_[it->second.id];
    if (IsOpen(approval)) {
      ++it;
      continue;
    }
    calls.emplace_back(std::move(it->second.done), approval);
    it = waiting_.erase(it);
  }
  return calls;
}

}  // namespace berth::broker
