#ifndef BERTH_BROKER_SERVICES_ADMIN_SERVICE_H_
#define BERTH_BROKER_SERVICES_ADMIN_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "absl/time/time.h"
#include "base/tls/certificates.h"
#include "broker/services/fleet.h"
#include "proto/berth/v1/admin.grpc.pb.h"

namespace berth::broker {

// What administrators may ask (berth.v1.Admin). Thread-safe.
class AdminService final : public v1::Admin::CallbackService {
 public:
  // Longest life of a user's certificate.
  static constexpr absl::Duration kMaxLifetime = absl::Hours(366 * 24);

  // `ca` and `fleet` must outlive the service.
  AdminService(const CertificateAuthority& ca, Fleet& fleet,
               absl::Duration user_lifetime)
      : ca_(ca), fleet_(fleet), user_lifetime_(user_lifetime) {}

  grpc::ServerUnaryReactor* CreateJoinToken(
      grpc::CallbackServerContext* context,
      const v1::CreateJoinTokenRequest* request,
      v1::CreateJoinTokenResponse* response) override;
  grpc::ServerUnaryReactor* ListJoinTokens(
      grpc::CallbackServerContext* context,
      const v1::ListJoinTokensRequest* request,
      v1::ListJoinTokensResponse* response) override;
  grpc::ServerUnaryReactor* RemoveJoinToken(
      grpc::CallbackServerContext* context,
      const v1::RemoveJoinTokenRequest* request,
      v1::RemoveJoinTokenResponse* response) override;
  grpc::ServerUnaryReactor* IssueUserCertificate(
      grpc::CallbackServerContext* context,
      const v1::IssueUserCertificateRequest* request,
      v1::IssueUserCertificateResponse* response) override;
  grpc::ServerUnaryReactor* GetBrokerStatus(
      grpc::CallbackServerContext* context,
      const v1::GetBrokerStatusRequest* request,
      v1::GetBrokerStatusResponse* response) override;

 private:
  const CertificateAuthority& ca_;
  Fleet& fleet_;
  const absl::Duration user_lifetime_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_ADMIN_SERVICE_H_
