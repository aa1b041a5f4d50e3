#ifndef BERTH_BROKER_CALL_AUTHORIZER_H_
#define BERTH_BROKER_CALL_AUTHORIZER_H_

#include <grpcpp/security/auth_metadata_processor.h>

#include "broker/audit/audit_log.h"
#include "broker/authorizer.h"
#include "broker/limits/call_limiter.h"
#include "broker/users/user_directory.h"

namespace berth::broker {

// Puts an Authorizer, limits, and the list of who is locked out, in front of
// every call of a server: gRPC asks it before it looks for a handler, so health
// checks, reflection and unknown methods pass it as well. Thread-safe.
class CallAuthorizer final : public grpc::AuthMetadataProcessor {
 public:
  // All must outlive the server. What is refused goes to `audit`, and while a
  // strict log can't be written, so is everything that has to be in it.
  CallAuthorizer(const Authorizer& authorizer, UserDirectory& users,
                 CallLimiter& limiter, AuditLog& audit)
      : authorizer_(authorizer),
        users_(users),
        limiter_(limiter),
        audit_(audit) {}

  // Quick, so gRPC may call it on its own threads.
  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata,
                       grpc::AuthContext* context,
                       OutputMetadata* consumed_metadata,
                       OutputMetadata* response_metadata) override;

 private:
  absl::Status Check(absl::string_view method,
                     const grpc::AuthContext& context) const;

  const Authorizer& authorizer_;
  UserDirectory& users_;
  CallLimiter& limiter_;
  AuditLog& audit_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_CALL_AUTHORIZER_H_
