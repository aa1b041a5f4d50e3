#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "broker/policy/policy.h"

namespace berth::broker {
namespace {

// How much of an action a role grants, in the order in which that is told.
enum class Fit { kOtherVerb, kOtherComputer, kConfiguration, kRunAs, kAll };

bool HasComputer(const Role& role, const NodeSet::Node& computer) {
  return role.computers.has_value() && role.computers->Has(computer);
}

bool MayRunAs(const Role& role, const std::string& user,
              const std::string& run_as) {
  if (run_as.empty() || run_as == user) {
    return role.run_as.Names(kSelf) || role.run_as.Has(user);
  }
  // A user named "self" is meant only by a wildcard.
  return run_as != kSelf ? role.run_as.Has(run_as) : role.run_as.HasAll();
}

Fit FitOf(const Role& role, const std::string& user, const Action& action) {
  if (!role.verbs.Has(action.verb)) return Fit::kOtherVerb;
  if (action.verb == Verb::kAdmin) return Fit::kAll;
  if (!HasComputer(role, action.computer)) return Fit::kOtherComputer;
  if (action.configuration.empty()
          ? !role.configurations.HasAll()
          : !role.configurations.Has(action.configuration)) {
    return Fit::kConfiguration;
  }
  // As whom a session runs was settled when it was made.
  if (action.verb == Verb::kCreate && !MayRunAs(role, user, action.run_as)) {
    return Fit::kRunAs;
  }
  return Fit::kAll;
}

std::string Quote(absl::string_view text) {
  return absl::StrCat("'", EscapeForTerminal(text.substr(0, 80)), "'");
}

// "create sessions on 'web01' with configuration 'std'", for messages.
std::string Describe(const std::string& user, const Action& action) {
  if (action.verb == Verb::kAdmin) return "'admin'";
  std::string text = absl::StrCat("'", VerbName(action.verb), "' on ",
                                  Quote(action.computer.name));
  if (!action.configuration.empty()) {
    absl::StrAppend(&text, " with configuration ", Quote(action.configuration));
  }
  if (!action.run_as.empty() && action.run_as != user) {
    absl::StrAppend(&text, " as ", Quote(action.run_as));
  }
  return text;
}

// What of a role stands against an action that it nearly allows.
std::string Against(const Role& role, const std::string& user,
                    const Action& action, Fit fit) {
  switch (fit) {
    case Fit::kOtherVerb:
      return absl::StrCat("role '", role.name, "' has ", role.verbs.ToString());
    case Fit::kOtherComputer:
      return absl::StrCat("role '", role.name, "' has '", VerbName(action.verb),
                          "', but on ", role.computers_text, " only");
    case Fit::kConfiguration:
      return absl::StrCat("role '", role.name, "' has it with configuration ",
                          role.configurations.ToString(), " only");
    case Fit::kRunAs:
      return absl::StrCat(
          "role '", role.name, "' has it as ", role.run_as.ToString(), " only",
          action.run_as.empty() ? absl::StrCat(", not as ", user) : "");
    case Fit::kAll:
      break;
  }
  return "";
}

}  // namespace

Rights::Rights(std::shared_ptr<const Policy> policy, std::string user,
               const IsApproved& is_approved)
    : policy_(std::move(policy)), user_(std::move(user)) {
  for (const Role& role : policy_->roles()) {
    if (!role.HasUser(user_)) continue;
    const bool active = !role.NeedsApproval() || is_approved(role);
    (active ? roles_ : unapproved_).push_back(&role);
  }
}

bool Rights::Allows(const Action& action) const {
  return std::any_of(roles_.begin(), roles_.end(), [&](const Role* role) {
    return FitOf(*role, user_, action) == Fit::kAll;
  });
}

std::string Rights::ModeratedBy(const Action& action) const {
  const Role* found = nullptr;
  for (const auto* roles : {&roles_, &unapproved_}) {
    for (const Role* role : *roles) {
      const Fit fit = FitOf(*role, user_, action);
      if (fit == Fit::kAll && !role->moderated && roles == &roles_) return "";
      // Which account was asked for when a session was made is not known any
      // more, so that excuses nobody.
      if (role->moderated && fit >= Fit::kRunAs) found = role;
    }
  }
  return found == nullptr ? "" : found->name;
}

Decision Rights::Decide(const Action& action) const {
  const Role* nearest = nullptr;
  Fit best = Fit::kOtherVerb;
  std::vector<absl::string_view> names;
  for (const Role* role : roles_) {
    const Fit fit = FitOf(*role, user_, action);
    if (fit == Fit::kAll) {
      return {true, role->name,
              absl::StrCat("role '", role->name, "' grants ",
                           Describe(user_, action), " to user ", Quote(user_),
                           ModeratedBy(action).empty()
                               ? ""
                               : ", while somebody else watches")};
    }
    names.push_back(role->name);
    if (nearest == nullptr || fit > best) {
      nearest = role;
      best = fit;
    }
  }
  for (const Role* role : unapproved_) {
    if (FitOf(*role, user_, action) != Fit::kAll) continue;
    return {false, "",
            absl::StrCat(
                "role '", role->name, "' grants ", Describe(user_, action),
                " to user ", Quote(user_), " only after ", role->approvals, " ",
                role->approvals == 1 ? "approval" : "approvals",
                "; ask for it with 'berth approval request ", role->name, "'")};
  }
  if (nearest == nullptr) {
    return {false, "", absl::StrCat("no role has user ", Quote(user_))};
  }
  // A user may have very many roles.
  constexpr size_t kMaxNames = 10;
  const bool more = names.size() > kMaxNames;
  if (more) names.resize(kMaxNames);
  return {false, "",
          absl::StrCat("no role of user ", Quote(user_), " (",
                       absl::StrJoin(names, ", "), more ? ", ..." : "",
                       ") grants ", Describe(user_, action), ": ",
                       Against(*nearest, user_, action, best))};
}

bool Rights::HasAnyOn(const NodeSet::Node& computer) const {
  const auto has = [&](const Role* role) {
    return HasComputer(*role, computer);
  };
  return std::any_of(roles_.begin(), roles_.end(), has) ||
         std::any_of(unapproved_.begin(), unapproved_.end(), has);
}

bool Rights::HasSomewhere(Verb verb) const {
  return std::any_of(roles_.begin(), roles_.end(),
                     [&](const Role* role) { return role->verbs.Has(verb); });
}

bool Policy::moderates() const {
  return std::any_of(roles_.begin(), roles_.end(),
                     [](const Role& role) { return role.moderated; });
}

std::map<std::string, std::vector<std::string>> Policy::WhoCan(
    const Action& action) const {
  std::map<std::string, std::vector<std::string>> found;
  for (const Role& role : roles_) {
    for (const NamePatterns* patterns : {&role.users, &role.members}) {
      for (const std::string& user : patterns->texts()) {
        if (FitOf(role, user, action) != Fit::kAll) continue;
        std::vector<std::string>& roles = found[user];
        const std::string name =
            role.NeedsApproval()
                ? absl::StrCat(
                      role.name, " (after ", role.approvals,
                      role.approvals == 1 ? " approval)" : " approvals)")
                : role.name;
        if (roles.empty() || roles.back() != name) roles.push_back(name);
      }
    }
  }
  return found;
}

}  // namespace berth::broker
