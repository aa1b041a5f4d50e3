#include "broker/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "base/tls/credentials.h"
#include "base/version.h"
#include "broker/accept.h"
#include "broker/audit_setup.h"
#include "broker/call_authorizer.h"
#include "broker/grpc_log.h"
#include "broker/guarded_read.h"
#include "broker/registry/open_registry.h"
#include "broker/services/audit_interceptor.h"

namespace berth::broker {
namespace {

// An agent's link has one for each call on its computer, 10,000 at the most.
constexpr int kMaxStreamsOfConnection = 20'000;
constexpr int kMaxMetadataBytes = 16 << 10;

void SetServerOptions(const Config& config, grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder->SetMaxSendMessageSize(kMaxMessageBytes);
  // Clients ping every 20 s and agents every 40 s, also without calls. We ping
  // who does not, to notice those that went without a word.
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                              absl::ToInt64Milliseconds(config.ping_after));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Of strangers: how long they may take to say who they are, and how much
  // they may say about it.
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                              static_cast<int>(absl::ToInt64Milliseconds(
                                  config.limits.handshake_timeout)));
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              kMaxStreamsOfConnection);
  grpc::ResourceQuota quota("berth-broker");
  quota.Resize(config.limits.memory_mib << 20);
  builder->SetResourceQuota(quota);
  // Two brokers on one port would share its connections at random.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

namespace {

absl::StatusOr<std::unique_ptr<Fleet>> OpenFleet(const std::string& path,
                                                 const std::string& directory,
                                                 const Config& config) {
  const PolicyCopy copy(absl::StrCat(directory, "/", kPolicyFile));
  BERTH_ASSIGN_OR_RETURN(OpenedRegistry opened,
                         OpenRegistry(path, absl::Now()));
  auto fleet = Fleet::Open(std::move(opened.store), config.hold_grace,
                           config.admission, config.admins, copy);
  if (absl::IsDataLoss(fleet.status())) {
    BERTH_ASSIGN_OR_RETURN(opened,
                           ReplaceRegistry(path, fleet.status(), absl::Now()));
    fleet = Fleet::Open(std::move(opened.store), config.hold_grace,
                        config.admission, config.admins, copy);
  }
  BERTH_RETURN_IF_ERROR(fleet.status());
  if (opened.is_new) (*fleet)->SetRegistryIsNew();
  if (!opened.notice.empty()) (*fleet)->AddNotice(opened.notice);
  return fleet;
}

AuditEvent BrokerEvent(absl::string_view verb, std::string detail) {
  AuditEvent event;
  event.verb = std::string(verb);
  event.outcome = "done";
  event.detail = std::move(detail);
  return event;
}

}  // namespace

Server::Server(const Config& config, Credentials credentials,
               std::unique_ptr<AuditLog> audit, std::string audit_keys,
               std::unique_ptr<Fleet> fleet, std::unique_ptr<Archive> archive)
    : credentials_(std::move(credentials)),
      audit_(std::move(audit)),
      archive_(std::move(archive)),
      fleet_(std::move(fleet)),
      lists_(std::make_shared<ListTally>(fleet_->timer(),
                                         [&audit = *audit_](AuditEvent event) {
                                           audit.Record(std::move(event));
                                         })),
      authorizer_([&access = fleet_->access()](const std::string& user) {
        return access.IsAdmin(user);
      }),
      limiter_(config.limits.calls),
      sessions_(*fleet_),
      files_(*fleet_),
      computers_(fleet_->access()),
      admin_(credentials_.ca, *fleet_, config.user_certificate_lifetime),
      policies_(*fleet_),
      approvals_(*fleet_),
      users_(credentials_.ca, *fleet_, limiter_, config.max_renewal),
      gateway_(credentials_.ca, *fleet_, config.user_certificate_lifetime),
      link_(credentials_.ca, *fleet_, limiter_,
            config.agent_certificate_lifetime),
      audit_service_(*audit_, std::move(audit_keys)),
      recordings_(*archive_, *fleet_),
      recorder_(*archive_, *fleet_) {
  fleet_->SetAudit(*audit_);
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const Config& config, const std::string& directory) {
  BERTH_ASSIGN_OR_RETURN(Credentials credentials, LoadCredentials(directory));
  const std::string path = absl::StartsWith(config.registry, "/")
                               ? config.registry
                               : absl::StrCat(directory, "/", config.registry);
  BERTH_ASSIGN_OR_RETURN(auto fleet, OpenFleet(path, directory, config));
  BERTH_ASSIGN_OR_RETURN(auto audit, OpenAuditLog(directory, config.audit));
  const std::string keys = absl::StrCat(directory, "/", kAuditPublicFile);
  BERTH_ASSIGN_OR_RETURN(AuditKey key, LoadOrMakeAuditKey(directory));
  BERTH_ASSIGN_OR_RETURN(
      auto archive,
      Archive::Open({absl::StrCat(directory, "/archive"), config.recording.keep,
                     config.recording.max_bytes},
                    std::move(key), keys));
  std::unique_ptr<Server> server(
      new Server(config, std::move(credentials), std::move(audit), keys,
                 std::move(fleet), std::move(archive)));
  server->audit_->SetAlarm(
      [fleet = server->fleet_.get()](const std::string& text) {
        fleet->AddNotice(text);
      });
  BERTH_RETURN_IF_ERROR(server->Listen(config));
  server->recordings_.BeginRetiring();
  server->audit_->Record(BrokerEvent(
      "broker.start",
      absl::StrCat("version ", kVersion, ", listening on ", config.listen)));
  return server;
}

absl::Status Server::Listen(const Config& config) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto credentials =
      MakeServerCredentials(credentials_.ca.trusted_pem(),
                            credentials_.cert_pem, credentials_.key_pem);
  credentials->SetAuthMetadataProcessor(std::make_shared<CallAuthorizer>(
      authorizer_, fleet_->users(), limiter_, *audit_));
  grpc::ServerBuilder builder;
  std::vector<
      std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>>
      interceptors;
  interceptors.push_back(
      std::make_unique<AuditInterceptorFactory>(*audit_, *lists_));
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  SetServerOptions(config, &builder);
  builder.AddListeningPort(config.listen, credentials, &port_);
  LimitConnections(config.limits.connections);
  LimitFrames(config.limits.calls);
  BoundGrpcLog();
  builder.RegisterService(&sessions_);
  builder.RegisterService(&files_);
  builder.RegisterService(&computers_);
  builder.RegisterService(&admin_);
  builder.RegisterService(&policies_);
  builder.RegisterService(&approvals_);
  builder.RegisterService(&users_);
  builder.RegisterService(&gateway_);
  builder.RegisterService(&link_);
  builder.RegisterService(&audit_service_);
  builder.RegisterService(&recordings_);
  builder.RegisterService(&recorder_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("can't listen on '", config.listen,
                     "'; is the port in use? (`listen` in broker.toml)"));
  }
  return absl::OkStatus();
}

void Server::Stop() {
  const Admission::Counts links = fleet_->admission().counts();
  SPDLOG_INFO("links admitted: {}, at most {} at a time; sent away: {}",
              links.admitted, links.most_starting, links.refused);
  fleet_->agents().CloseAll(absl::UnavailableError(
      "the broker is going down; sessions live on, try again"));
  server_->Shutdown(std::chrono::system_clock::now() +
                    absl::ToChronoMilliseconds(kDrain));
  lists_->Flush();
  audit_->Record(BrokerEvent("broker.stop", ""));
  audit_->Stop();
}

}  // namespace berth::broker
