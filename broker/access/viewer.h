#ifndef BERTH_BROKER_ACCESS_VIEWER_H_
#define BERTH_BROKER_ACCESS_VIEWER_H_

#include <optional>
#include <string>
#include <utility>

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

  // Whether the user may make such a session on `computer`. PermissionDenied.
  absl::Status CheckCreate(const NodeSet::Node& computer,
                           const v1::CreateSessionRequest& request);

 private:
  const Registry* registry_;
  Rights rights_;
  bool admin_;
  // Computers where the user has sessions; looked up when first needed.
  std::optional<absl::flat_hash_set<std::string>> own_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_ACCESS_VIEWER_H_
