#ifndef BERTH_BROKER_SERVICES_SESSION_QUERY_H_
#define BERTH_BROKER_SERVICES_SESSION_QUERY_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/selector.h"
#include "broker/access/viewer.h"
#include "broker/registry/registry.h"
#include "proto/berth/v1/computers.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// SessionScan walks over the sessions that a query asks for, in pages and by
// id. It keeps its place and no list, so the first page costs the same however
// many there are, and a slow reader takes no memory. Not thread-safe.
class SessionScan {
 public:
  // The registry must outlive the scan. InvalidArgument: a selector can't be
  // read, or there are too many of something.
  static absl::StatusOr<SessionScan> Begin(Viewer viewer,
                                           v1::ListSessionsRequest request);

  // Puts at most `most` sessions into `page`. False: these were the last ones.
  bool Next(int most, google::protobuf::RepeatedPtrField<v1::Session>* page);

  // After the last page. NotFound: some literal matched nothing.
  absl::Status status() const;

 private:
  SessionScan(Viewer viewer, v1::ListSessionsRequest request)
      : viewer_(std::move(viewer)), request_(std::move(request)) {}

  // Finds out on which computers the sessions may be, if not on any.
  void ChooseComputers();
  bool Wants(const v1::Session& session);

  Viewer viewer_;
  v1::ListSessionsRequest request_;
  std::vector<Selector> selectors_;
  std::vector<bool> matched_;  // Which selectors have matched.
  // Not set: on any.
  std::optional<absl::flat_hash_set<std::string>> computers_;
  std::vector<std::string> unknown_computers_;
  std::vector<std::string> owners_;  // In order.
  size_t owner_ = 0;                 // The one whose sessions come next.
  Registry::IdKey after_;
};

// What a query found, and NotFound if some literal of it matched nothing.
struct SessionQueryResult {
  std::vector<v1::Session> sessions;  // By id.
  absl::Status status;
};
struct ComputerQueryResult {
  std::vector<v1::Computer> computers;  // By name.
  absl::Status status;
};

// The sessions that `request` asks for, all at once. Errors as
// SessionScan::Begin().
absl::StatusOr<SessionQueryResult> QuerySessions(
    Viewer viewer, const v1::ListSessionsRequest& request);

// All of these find only what the viewer may see.

// The configurations that `request` asks for, by computer and name.
// InvalidArgument: too many names.
struct ConfigurationQueryResult {
  std::vector<v1::Configuration> configurations;
  absl::Status status;
};
absl::StatusOr<ConfigurationQueryResult> QueryConfigurations(
    Viewer viewer, const v1::ListConfigurationsRequest& request);

// The computers that `request` asks for. InvalidArgument: too many names.
absl::StatusOr<ComputerQueryResult> QueryComputers(
    Viewer viewer, const v1::ListComputersRequest& request);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_SESSION_QUERY_H_
