#ifndef BERTH_BROKER_ACCESS_ACCESS_H_
#define BERTH_BROKER_ACCESS_ACCESS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/access/grants.h"
#include "broker/access/policy_book.h"
#include "broker/access/viewer.h"
#include "broker/approvals/approval_book.h"
#include "broker/policy/policy.h"
#include "broker/registry/registry.h"

namespace berth::broker {

// Access decides what a user may do with which computer and session: the one
// place that all services ask, each time anew, so that a new policy holds at
// once. What methods a caller may call at all is the Authorizer's. Thread-safe.
class Access {
 public:
  // `admins` are administrators whatever a policy says. `registry` must
  // outlive it, and `store` as PolicyBook wants it.
  // `approvals` must outlive it, too.
  Access(const Registry& registry, const ApprovalBook& approvals,
         StoreThread& store, PolicyCopy copy,
         const std::vector<std::string>& admins)
      : registry_(registry),
        approvals_(approvals),
        admins_(admins.begin(), admins.end()),
        book_(store, std::move(copy)) {}
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  PolicyBook& book() { return book_; }
  Grants& grants() { return grants_; }

  // What the current policy grants to `user`, with what others have approved.
  // Ask for it once for each question, not once for all.
  Rights RightsOf(const std::string& user) const;
  // What the book of approvals has to know of it.
  ApprovalBook::Current CurrentPolicy() const;

  bool IsAdmin(const std::string& user) const;

  // The role that lets `user` work in `session` (with `verb`, if it is of
  // somebody else) only while it is observed; empty: there is none.
  std::string ModeratingRole(const std::string& user,
                             const v1::Session& session, Verb verb) const;

  // How `user` sees the fleet now.
  Viewer ViewerFor(const std::string& user) const;
  // Whether `broker.toml` makes them one.
  bool IsConfiguredAdmin(absl::string_view user) const {
    return admins_.contains(user);
  }
  const absl::flat_hash_set<std::string>& configured_admins() const {
    return admins_;
  }

  // What somebody wants to do on `computer`, as the policy knows it: with its
  // labels, and for kCreate with the name of its default configuration if none
  // is given. NotFound.
  absl::StatusOr<Action> ActionOn(absl::string_view computer, Verb verb,
                                  const std::string& configuration,
                                  const std::string& run_as) const;

 private:
  const Registry& registry_;
  const ApprovalBook& approvals_;
  const absl::flat_hash_set<std::string> admins_;
  Grants grants_;
  PolicyBook book_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ACCESS_ACCESS_H_
