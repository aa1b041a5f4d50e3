#ifndef BERTH_BROKER_SERVICES_LINK_SERVICE_H_
#define BERTH_BROKER_SERVICES_LINK_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "absl/time/time.h"
#include "base/tls/certificates.h"
#include "broker/limits/call_limiter.h"
#include "broker/services/fleet.h"
#include "proto/berth/link/v1/link.grpc.pb.h"

namespace berth::broker {

// Call is raw: its frames pass without being parsed.
using LinkServiceBase = link::v1::Link::WithRawCallbackMethod_Call<
    link::v1::Link::WithCallbackMethod_Control<
        link::v1::Link::WithCallbackMethod_Enroll<
            link::v1::Link::WithCallbackMethod_Renew<
                link::v1::Link::Service>>>>;

// The agents' side of the broker (berth.link.v1.Link). Thread-safe.
class LinkService final : public LinkServiceBase {
 public:
  // All must outlive the service.
  LinkService(const CertificateAuthority& ca, Fleet& fleet,
              CallLimiter& limiter, absl::Duration agent_lifetime)
      : ca_(ca),
        fleet_(fleet),
        limiter_(limiter),
        agent_lifetime_(agent_lifetime) {}

  grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context,
                                   const link::v1::EnrollRequest* request,
                                   link::v1::EnrollResponse* response) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                  const link::v1::RenewRequest* request,
                                  link::v1::RenewResponse* response) override;
  grpc::ServerBidiReactor<link::v1::AgentMessage, link::v1::BrokerMessage>*
  Control(grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Call(
      grpc::CallbackServerContext* context) override;

 private:
  // That an agent's certificate was issued.
  void Note(const std::string& certificate_pem, absl::string_view issued_by,
            absl::Time login);

  const CertificateAuthority& ca_;
  Fleet& fleet_;
  CallLimiter& limiter_;
  const absl::Duration agent_lifetime_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_LINK_SERVICE_H_
