#include "broker/call_authorizer.h"

#include "absl/time/clock.h"
#include "base/grpc_status.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "base/tls/credentials.h"
#include "broker/services/audit_actor.h"
#include "broker/services/audit_verbs.h"

namespace berth::broker {

absl::Status CallAuthorizer::Check(absl::string_view method,
                                   const grpc::AuthContext& context) const {
  const auto certificate = PeerCertificate(context);
  const absl::StatusOr<Identity> caller =
      certificate.ok() ? absl::StatusOr<Identity>((*certificate)->identity)
                       : certificate.status();
  // A computer's side of a call that a user was allowed: counted as theirs.
  if (method != "/berth.link.v1.Link/Call") {
    BERTH_RETURN_IF_ERROR(limiter_.Check(caller, MonotonicNow()));
  }
  BERTH_RETURN_IF_ERROR(authorizer_.Check(method, caller));
  if (certificate.ok()) {
    BERTH_RETURN_IF_ERROR(users_.Admit(**certificate, absl::Now()));
  }
  return IsAudited(method) ? audit_.Check() : absl::OkStatus();
}

grpc::Status CallAuthorizer::Process(const InputMetadata& metadata,
                                     grpc::AuthContext* context,
                                     OutputMetadata*, OutputMetadata*) {
  auto path = metadata.find(":path");
  if (path == metadata.end()) {
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED,
                        "the call names no method");
  }
  const absl::string_view method(path->second.data(), path->second.size());
  const absl::Status status = Check(method, *context);
  if (!status.ok()) {
    // gRPC does not say here from which address it came.
    AuditEvent event;
    SetCaller(*context, event);
    event.verb = std::string(AuditVerb(method));
    event.rpc = std::string(method);
    SetOutcome(status, event);
    audit_.Record(std::move(event));
  }
  return ToGrpcStatus(status);
}

}  // namespace berth::broker
