#ifndef BERTH_BROKER_ACCESS_VIEWER_H_
#define BERTH_BROKER_ACCESS_VIEWER_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/node_set.h"
#include "broker/policy/policy.h"
#include "broker/registry/registry.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// Viewer is how one user sees the fleet under the policy of the moment when it
// was made: for one question, not to be kept. What a user may not see is for
// them as if it were not there. Not thread-safe.
class Viewer {
 public:
  // `registry` must outlive it. `rights`: what the policy grants to the user;
  // `admin`: whether they are an administrator.
  Viewer(const Registry& registry, Rights rights, bool admin)
      : registry_(&registry), rights_(std::move(rights)), admin_(admin) {}

  const std::string& user() const { return rights_.user(); }
  const Registry& registry() const { return *registry_; }

  // Whether the user has any right on a computer, a session there, or is an
  // administrator.
  bool Sees(const NodeSet::Node& computer);
  bool Sees(const v1::Computer& computer);

  // A computer by its name, without regard to case. NotFound, also if there is
  // one that the user may not see.
  absl::StatusOr<NodeSet::Node> FindComputer(absl::string_view name);

  // Whether the user may do `verb` with a session: with their own, anything;
  // with others, what a role grants.
  bool May(const v1::Session& session, Verb verb);
  // Whether they may do anything with it.
  bool Sees(const v1::Session& session);

  // The one session that `ref` names, if the user may do all of `verbs` with
  // it. Errors as of Registry::Resolve(), of which NotFound also says that it
  // may not be seen; PermissionDenied: it may be seen, but not that be done.
  absl::StatusOr<SessionRecord> FindSession(const v1::SessionRef& ref,
                                            const std::vector<Verb>& verbs);

  // The id by which a client of the user goes in a session.
  std::string ClientIdIn(const v1::Session& session,
                         const std::string& client_id) const;

  // Whether the user may make such a session on `computer`. PermissionDenied.
  absl::Status CheckCreate(const NodeSet::Node& computer,
                           const v1::CreateSessionRequest& request);

 private:
  Action ActionOn(const v1::Session& session, Verb verb);

  const Registry* registry_;
  Rights rights_;
  bool admin_;
  // Computers where the user has sessions; looked up when first needed.
  std::optional<absl::flat_hash_set<std::string>> own_;
  // Those asked for before.
  absl::flat_hash_map<std::string, NodeSet::Node> nodes_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ACCESS_VIEWER_H_
