#ifndef BERTH_BROKER_SERVICES_GATEWAY_SERVICE_H_
#define BERTH_BROKER_SERVICES_GATEWAY_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/tls/certificates.h"
#include "broker/services/fleet.h"
#include "proto/berth/v1/gateway.grpc.pb.h"

namespace berth::broker {

// What a gateway may ask (berth.v1.Gateway). Thread-safe.
class GatewayService final : public v1::Gateway::CallbackService {
 public:
  // Of the certificates it gets. Short: it asks for another while it needs it.
  static constexpr absl::Duration kLifetime = absl::Hours(1);
  // One that has as much left is not replaced.
  static constexpr absl::Duration kLeft = absl::Minutes(30);

  // `ca` and `fleet` must outlive the service. `client_lifetime`: of
  // certificates for users' own clients.
  GatewayService(const CertificateAuthority& ca, Fleet& fleet,
                 absl::Duration client_lifetime)
      : ca_(ca), fleet_(fleet), client_lifetime_(client_lifetime) {}

  grpc::ServerUnaryReactor* CheckKey(grpc::CallbackServerContext* context,
                                     const v1::CheckKeyRequest* request,
                                     v1::CheckKeyResponse* response) override;
  grpc::ServerUnaryReactor* Login(grpc::CallbackServerContext* context,
                                  const v1::LoginRequest* request,
                                  v1::LoginResponse* response) override;

 private:
  absl::Status Issue(const v1::LoginRequest& request,
                     const std::string& gateway, v1::LoginResponse& response);

  const CertificateAuthority& ca_;
  Fleet& fleet_;
  const absl::Duration client_lifetime_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_GATEWAY_SERVICE_H_
