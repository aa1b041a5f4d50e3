#ifndef BERTH_BROKER_POLICY_POLICY_H_
#define BERTH_BROKER_POLICY_POLICY_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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

  bool HasUser(absl::string_view user) const {
    return users.Has(user) || members.Has(user);
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
  Rights(std::shared_ptr<const Policy> policy, std::string user);

  Decision Decide(const Action& action) const;
  // Decide() without the reasons.
  bool Allows(const Action& action) const;
  // Whether any role says anything about `computer`.
  bool HasAnyOn(const NodeSet::Node& computer) const;
  // Whether some role may grant `verb` somewhere.
  bool HasSomewhere(Verb verb) const;

  const std::string& user() const { return user_; }

 private:
  std::shared_ptr<const Policy> policy_;
  std::string user_;
  std::vector<const Role*> roles_;
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

  // Users and wildcards over users, with the roles that grant them `action`.
  std::map<std::string, std::vector<std::string>> WhoCan(
      const Action& action) const;

 private:
  std::vector<Role> roles_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_POLICY_POLICY_H_
