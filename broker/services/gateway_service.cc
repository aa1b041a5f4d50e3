#include "broker/services/gateway_service.h"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "base/grpc_status.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/services/caller.h"

namespace berth::broker {

grpc::ServerUnaryReactor* GatewayService::CheckKey(
    grpc::CallbackServerContext* context, const v1::CheckKeyRequest* request,
    v1::CheckKeyResponse*) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(
      fleet_.users().CheckKey(request->user(), request->fingerprint())));
  return reactor;
}

absl::Status GatewayService::Issue(const v1::LoginRequest& request,
                                   const std::string& gateway,
                                   v1::LoginResponse& response) {
  BERTH_RETURN_IF_ERROR(
      fleet_.users().CheckKey(request.user(), request.fingerprint()));
  const Identity user{Purpose::kUser, request.user()};
  const absl::Time now = absl::Now();
  const bool for_client = request.for_client();
  if (!for_client &&
      fleet_.users().IsGood(request.serial(), user, now + kLeft)) {
    return absl::OkStatus();
  }
  BERTH_RETURN_IF_ERROR(fleet_.users().MayIssue(user, now));
  BERTH_ASSIGN_OR_RETURN(std::string certificate,
                         ca_.Issue(request.csr_pem(), user,
                                   for_client ? client_lifetime_ : kLifetime));
  BERTH_ASSIGN_OR_RETURN(const CertificateInfo issued,
                         ReadCertificate(certificate));
  fleet_.users().Issued(issued, for_client ? "login" : "gateway", now, gateway);
  *response.mutable_expires_at() = ToProto(issued.expires_at);
  response.set_certificate_pem(std::move(certificate));
  response.set_ca_pem(ca_.trusted_pem());
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* GatewayService::Login(
    grpc::CallbackServerContext* context, const v1::LoginRequest* request,
    v1::LoginResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const std::string gateway = CallerName(*context);
  absl::Status status = CheckKept(fleet_, *context);
  if (status.ok()) status = Issue(*request, gateway, *response);
  if (status.ok()) {
    SPDLOG_INFO("user '{}' logs in from {} by gateway '{}'", request->user(),
                request->address(), gateway);
  }
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace berth::broker
