#ifndef BERTH_BROKER_SERVICES_ADMIN_SERVICE_H_
#define BERTH_BROKER_SERVICES_ADMIN_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "absl/time/time.h"
#include "base/tls/certificates.h"
#include "broker/registry/store_thread.h"
#include "proto/berth/v1/admin.grpc.pb.h"

namespace berth::broker {

// What administrators may ask (berth.v1.Admin). Thread-safe.
class AdminService final : public v1::Admin::CallbackService {
 public:
  // Longest life of a user's certificate.
  static constexpr absl::Duration kMaxLifetime = absl::Hours(366 * 24);

  // `ca` and `store` must outlive the service.
  AdminService(const CertificateAuthority& ca, StoreThread& store,
               absl::Duration user_lifetime)
      : ca_(ca), store_(store), user_lifetime_(user_lifetime) {}

  grpc::ServerUnaryReactor* CreateJoinToken(
      grpc::CallbackServerContext* context,
      const v1::CreateJoinTokenRequest* request,
      v1::CreateJoinTokenResponse* response) override;
  grpc::ServerUnaryReactor* IssueUserCertificate(
      grpc::CallbackServerContext* context,
      const v1::IssueUserCertificateRequest* request,
      v1::IssueUserCertificateResponse* response) override;

 private:
  const CertificateAuthority& ca_;
  StoreThread& store_;
  const absl::Duration user_lifetime_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_ADMIN_SERVICE_H_
