#ifndef BERTH_BROKER_CALL_AUTHORIZER_H_
#define BERTH_BROKER_CALL_AUTHORIZER_H_

#include <grpcpp/security/auth_metadata_processor.h>

#include "broker/authorizer.h"

namespace berth::broker {

// Puts an Authorizer in front of every call of a server: gRPC asks it before it
// looks for a handler, so health checks, reflection and unknown methods pass it
// as well. Thread-safe.
class CallAuthorizer final : public grpc::AuthMetadataProcessor {
 public:
  // `authorizer` must outlive the server.
  explicit CallAuthorizer(const Authorizer& authorizer)
      : authorizer_(authorizer) {}

  // Quick, so gRPC may call it on its own threads.
  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata,
                       grpc::AuthContext* context,
                       OutputMetadata* consumed_metadata,
                       OutputMetadata* response_metadata) override;

 private:
  const Authorizer& authorizer_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_CALL_AUTHORIZER_H_
