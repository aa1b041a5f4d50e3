#ifndef BERTH_BROKER_SERVER_H_
#define BERTH_BROKER_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "broker/archive/archive.h"
#include "broker/audit/audit_log.h"
#include "broker/authorizer.h"
#include "broker/config.h"
#include "broker/init.h"
#include "broker/limits/call_limiter.h"
#include "broker/services/admin_service.h"
#include "broker/services/approvals_service.h"
#include "broker/services/audit_service.h"
#include "broker/services/computers_service.h"
#include "broker/services/files_service.h"
#include "broker/services/fleet.h"
#include "broker/services/gateway_service.h"
#include "broker/services/link_service.h"
#include "broker/services/list_tally.h"
#include "broker/services/policies_service.h"
#include "broker/services/recorder_service.h"
#include "broker/services/recordings_service.h"
#include "broker/services/sessions_service.h"
#include "broker/services/users_service.h"

namespace berth::broker {

// Server is a whole broker: the registry, the services, and the one TLS server
// that clients and agents connect to.
class Server {
 public:
  // How long what is in progress may take to end when the broker goes down.
  static constexpr absl::Duration kDrain = absl::Seconds(1);

  // Opens the registry in `directory` and starts to serve. Unavailable: the
  // address can't be listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const Config& config, const std::string& directory);

  // The port that it listens on.
  int port() const { return port_; }

  // Sends agents and clients away, waits for them for kDrain, and stops.
  void Stop();

 private:
  Server(const Config& config, Credentials credentials,
         std::unique_ptr<AuditLog> audit, std::string audit_keys,
         std::unique_ptr<Fleet> fleet, std::unique_ptr<Archive> archive);
  absl::Status Listen(const Config& config);

  const Credentials credentials_;
  const std::unique_ptr<AuditLog> audit_;
  const std::unique_ptr<Archive> archive_;
  const std::unique_ptr<Fleet> fleet_;
  const std::shared_ptr<ListTally> lists_;
  const Authorizer authorizer_;
  CallLimiter limiter_;
  SessionsService sessions_;
  FilesService files_;
  ComputersService computers_;
  AdminService admin_;
  PoliciesService policies_;
  ApprovalsService approvals_;
  UsersService users_;
  GatewayService gateway_;
  LinkService link_;
  AuditService audit_service_;
  RecordingsService recordings_;
  RecorderService recorder_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVER_H_
