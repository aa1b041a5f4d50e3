#include "broker/access/access.h"

#include "base/status_macros.h"

namespace berth::broker {

bool Access::IsAdmin(const std::string& user) const {
  return IsConfiguredAdmin(user) ||
         RightsOf(user).Allows({.verb = Verb::kAdmin, .computer = {}});
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
