#include "broker/access/viewer.h"

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

absl::Status Denied(const Decision& decision) {
  return absl::PermissionDeniedError(
      absl::StrCat("not allowed: ", decision.why,
                   "; ask an administrator for a role that "
                   "grants it"));
}

}  // namespace

bool Viewer::Sees(const NodeSet::Node& computer) {
  if (admin_ || rights_.HasAnyOn(computer)) return true;
  if (!own_.has_value()) {
    own_.emplace();
    for (const SessionRecord& session : registry_->SessionsOf(user())) {
      own_->insert(session->computer());
    }
  }
  return own_->contains(computer.name);
}

bool Viewer::Sees(const v1::Computer& computer) {
  return Sees(
      {computer.name(), {computer.labels().begin(), computer.labels().end()}});
}

absl::StatusOr<NodeSet::Node> Viewer::FindComputer(absl::string_view name) {
  BERTH_ASSIGN_OR_RETURN(NodeSet::Node node, registry_->NodeNamed(name));
  if (Sees(node)) return node;
  return Registry::NoComputer(name);
}

absl::Status Viewer::CheckCreate(const NodeSet::Node& computer,
                                 const v1::CreateSessionRequest& request) {
  Action action{.verb = Verb::kCreate,
                .computer = computer,
                .configuration = request.configuration()};
  if (action.configuration.empty()) {
    action.configuration = registry_->DefaultConfiguration(computer.name);
  }
  const Decision decision = rights_.Decide(action);
  return decision.allowed ? absl::OkStatus() : Denied(decision);
}

}  // namespace berth::broker
