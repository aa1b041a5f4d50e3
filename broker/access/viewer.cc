#include "broker/access/viewer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/foreign_client.h"
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

Action Viewer::ActionOn(const v1::Session& session, Verb verb) {
  auto node = nodes_.find(session.computer());
  if (node == nodes_.end()) {
    absl::StatusOr<NodeSet::Node> found =
        registry_->NodeNamed(session.computer());
    node = nodes_
               .emplace(session.computer(),
                        found.ok() ? *std::move(found)
                                   : NodeSet::Node{session.computer(), {}})
               .first;
  }
  return {.verb = verb,
          .computer = node->second,
          .configuration = session.configuration()};
}

bool Viewer::May(const v1::Session& session, Verb verb) {
  return session.owner() == user() || rights_.Allows(ActionOn(session, verb));
}

bool Viewer::Sees(const v1::Session& session) {
  return std::any_of(kVerbs.begin(), kVerbs.end(), [&](Verb verb) {
    return IsAboutSessions(verb) && May(session, verb);
  });
}

absl::StatusOr<SessionRecord> Viewer::FindSession(
    const v1::SessionRef& ref, const std::vector<Verb>& verbs) {
  v1::SessionRef wanted = ref;
  if (ref.owner() == user()) wanted.clear_owner();
  const std::string& owner = wanted.owner().empty() ? user() : wanted.owner();
  BERTH_ASSIGN_OR_RETURN(
      SessionRecord session,
      registry_->Resolve(owner, wanted, [this](const v1::Session& candidate) {
        return Sees(candidate);
      }));
  if (session->owner() == user()) return session;
  for (const Verb verb : verbs) {
    const Decision decision = rights_.Decide(ActionOn(*session, verb));
    if (!decision.allowed) return Denied(decision);
  }
  return session;
}

std::string Viewer::ClientIdIn(const v1::Session& session,
                               const std::string& client_id) const {
  return session.owner() == user() || client_id.empty()
             ? client_id
             : ForeignClientId(user(), client_id);
}

absl::Status Viewer::CheckCreate(const NodeSet::Node& computer,
                                 const v1::CreateSessionRequest& request) {
  Action action{.verb = Verb::kCreate,
                .computer = computer,
                .configuration = request.configuration(),
                .run_as = request.run_as()};
  if (action.configuration.empty()) {
    action.configuration = registry_->DefaultConfiguration(computer.name);
  }
  const Decision decision = rights_.Decide(action);
  return decision.allowed ? absl::OkStatus() : Denied(decision);
}

}  // namespace berth::broker
