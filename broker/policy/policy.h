#ifndef BERTH_BROKER_POLICY_POLICY_H_
#define BERTH_BROKER_POLICY_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/node_set.h"
#include "broker/policy/name_patterns.h"
#include "broker/policy/verb.h"

namespace berth::broker {

// Stands for the asking user, among `run_as`.
inline constexpr absl::string_view kSelf = "self";

// What one role of a policy says.
struct Role {
  std::string name;
  NamePatterns users;
  // By name. Their members are among `members`.
  std::vector<std::string> groups;
  // Of all its groups.
  NamePatterns members;
  VerbSet verbs;
  // Not set: the role is not about computers.
  std::optional<NodeMatcher> computers;
  std::string computers_text;
  NamePatterns configurations;
  NamePatterns run_as;
  // How many others must agree before it grants anything, and for how long then
  // at most; 0: nobody.
  uint32_t approvals = 0;
  absl::Duration approved_for = kApprovedFor;
  NamePatterns approvers;
  // By name; their members are among `approver_members`.
  std::vector<std::string> approver_groups;
  NamePatterns approver_members;
  // Whoever works by it in a session has to be watched by somebody else.
  bool moderated = false;

  static constexpr uint32_t kMaxApprovals = 5;
  static constexpr absl::Duration kApprovedFor = absl::Hours(1);
  static constexpr absl::Duration kMaxApprovedFor = absl::Hours(24);

  bool HasUser(absl::string_view user) const {
    return users.Has(user) || members.Has(user);
  }
  bool NeedsApproval() const { return approvals > 0; }
  bool HasApprover(absl::string_view user) const {
    return approvers.Has(user) || approver_members.Has(user);
  }
};

// What somebody wants to do where.
struct Action {
  Verb verb = Verb::kList;
  NodeSet::Node computer;
  // Empty: whichever, as for a session that was made from one that is unknown.
  std::string configuration = {};
  // The user that the session runs as. Empty: the one who asks.
  std::string run_as = {};
};

// Whether that is allowed, and why.
struct Decision {
  bool allowed = false;
  // The role that allows it. Empty: none does.
  std::string role = {};
  // For people: one sentence without an end.
  std::string why = {};
};

class Policy;

// Rights is what a policy grants to one user. It keeps the policy alive. A
// value; thread-safe.
class Rights {
 public:
  // Whether a role that needs approvals has them, for the user. Asked at once.
  using IsApproved = std::function<bool(const Role&)>;

  Rights(
      std::shared_ptr<const Policy> policy, std::string user,
      const IsApproved& is_approved = [](const Role&) { return false; });

  Decision Decide(const Action& action) const;
  // Decide() without the reasons.
  bool Allows(const Action& action) const;
  // The role that lets the user do this only while somebody else watches, if
  // none lets them do it without; empty: there is no such role. Roles that wait
  // for approvals count, too: what was begun with one goes on.
  std::string ModeratedBy(const Action& action) const;
  // Whether any role says anything about `computer`, also if it needs approvals
  // first.
  bool HasAnyOn(const NodeSet::Node& computer) const;
  // Whether some role may grant `verb` somewhere.
  bool HasSomewhere(Verb verb) const;

  const std::string& user() const { return user_; }

 private:
  std::shared_ptr<const Policy> policy_;
  std::string user_;
  std::vector<const Role*> roles_;
  // Those that would grant something after approvals.
  std::vector<const Role*> unapproved_;
};

// Policy says who may do what where: everything that no role grants is denied.
// Never changes; thread-safe. Knows nothing of sessions and their owners.
class Policy {
 public:
  // Bounds of what a file may say.
  static constexpr size_t kMaxBytes = 256 << 10;
  static constexpr size_t kMaxRoles = 1000;
  static constexpr size_t kMaxMembers = 100'000;

  // Reads a policy. InvalidArgument names `path`, the line, and what is wrong
  // there.
  static absl::StatusOr<std::shared_ptr<const Policy>> Parse(
      absl::string_view text, absl::string_view path);

  // The text of the policy of a broker that was never given one: everybody may
  // make sessions everywhere.
  static absl::string_view BuiltInText();

  // By name.
  const std::vector<Role>& roles() const { return roles_; }
  // Whether any role is.
  bool moderates() const;

  // Users and wildcards over users, with the roles that grant them `action`.
  std::map<std::string, std::vector<std::string>> WhoCan(
      const Action& action) const;

 private:
  std::vector<Role> roles_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_POLICY_POLICY_H_
