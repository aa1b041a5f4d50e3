#include "broker/call_authorizer.h"

#include "base/grpc_status.h"
#include "base/tls/credentials.h"

namespace berth::broker {

grpc::Status CallAuthorizer::Process(const InputMetadata& metadata,
                                     grpc::AuthContext* context,
                                     OutputMetadata*, OutputMetadata*) {
  auto path = metadata.find(":path");
  if (path == metadata.end()) {
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED,
                        "the call names no method");
  }
  return ToGrpcStatus(authorizer_.Check(
      absl::string_view(path->second.data(), path->second.size()),
      PeerIdentity(*context)));
}

}  // namespace berth::broker
