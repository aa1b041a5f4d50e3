#ifndef BERTH_BROKER_SERVICES_SESSION_QUERY_H_
#define BERTH_BROKER_SERVICES_SESSION_QUERY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/registry/registry.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// What a query found, and NotFound if some literal of it matched nothing.
struct SessionQueryResult {
  std::vector<v1::Session> sessions;  // By id.
  absl::Status status;
};
struct ComputerQueryResult {
  std::vector<v1::Computer> computers;  // By name.
  absl::Status status;
};

// The sessions of `owner` that `request` asks for. InvalidArgument: a selector
// can't be read, or there are too many.
absl::StatusOr<SessionQueryResult> QuerySessions(
    const Registry& registry, absl::string_view owner,
    const v1::ListSessionsRequest& request);

// The configurations that `request` asks for, by computer and name.
// InvalidArgument: too many names.
struct ConfigurationQueryResult {
  std::vector<v1::Configuration> configurations;
  absl::Status status;
};
absl::StatusOr<ConfigurationQueryResult> QueryConfigurations(
    const Registry& registry, const v1::ListConfigurationsRequest& request);

// The computers that `request` asks for. InvalidArgument: too many names.
absl::StatusOr<ComputerQueryResult> QueryComputers(
    const Registry& registry, const v1::ListComputersRequest& request);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_SESSION_QUERY_H_
