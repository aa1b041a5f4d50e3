#include "broker/access/access.h"

#include <utility>

#include "absl/time/clock.h"
#include "base/status_macros.h"

namespace berth::broker {

Rights Access::RightsOf(const std::string& user) const {
  const auto current = book_.Current();
  return Rights(current->policy, user, [&](const Role& role) {
    return approvals_.IsGranted(user, role.name, current->record.version,
                                absl::Now());
  });
}

ApprovalBook::Current Access::CurrentPolicy() const {
  const auto current = book_.Current();
  return {current->policy, current->record.version};
}

bool Access::IsAdmin(const std::string& user) const {
  return IsConfiguredAdmin(user) ||
         RightsOf(user).Allows({.verb = Verb::kAdmin, .computer = {}});
}

std::string Access::ModeratingRole(const std::string& user,
                                   const v1::Session& session,
                                   Verb verb) const {
  // Nearly no policy has any, and this is asked for each command.
  if (!book_.Current()->policy->moderates()) return "";
  const bool own = session.owner() == user;
  Action action{.verb = own ? Verb::kCreate : verb,
                .computer = {session.computer(), {}},
                .configuration = session.configuration(),
                .run_as = own ? session.run_as() : ""};
  auto node = registry_.NodeNamed(session.computer());
  if (node.ok()) action.computer = *std::move(node);
  return RightsOf(user).ModeratedBy(action);
}

Viewer Access::ViewerFor(const std::string& user) const {
  Rights rights = RightsOf(user);
  const bool admin =
      IsConfiguredAdmin(user) || rights.HasSomewhere(Verb::kAdmin);
  return Viewer(registry_, std::move(rights), admin);
}

absl::StatusOr<Action> Access::ActionOn(absl::string_view computer, Verb verb,
                                        const std::string& configuration,
                                        const std::string& run_as) const {
  Action action{.verb = verb,
                .computer = {},
                .configuration = configuration,
                .run_as = run_as};
  BERTH_ASSIGN_OR_RETURN(action.computer, registry_.NodeNamed(computer));
  if (verb == Verb::kCreate && configuration.empty()) {
    action.configuration = registry_.DefaultConfiguration(action.computer.name);
  }
  return action;
}

}  // namespace berth::broker
