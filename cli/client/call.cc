#include "cli/client/call.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/grpc_status.h"

namespace berth::cli {

// A status that the peer sent is marked so by gRPC, in the only place where it
// says where a status came from.
bool IsFromBroker(const grpc::ClientContext& context) {
  return absl::StrContains(context.debug_error_string(),
                           "Error received from peer");
}

bool WasForwarded(const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerTrailingMetadata();
  return metadata.find(kForwardedKey) != metadata.end();
}

absl::Status ToStatus(const Connection& connection,
                      const grpc::ClientContext& context,
                      const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const absl::Status result = FromGrpcStatus(status);
  if (IsFromBroker(context)) return result;
  if (absl::IsUnavailable(result)) {
    return absl::UnavailableError(absl::StrCat(
        "broker ", connection.broker(), ": can't be reached (",
        status.error_message(),
        "); check that it runs, or choose another with --context"));
  }
  if (absl::IsDeadlineExceeded(result)) {
    return absl::DeadlineExceededError(absl::StrCat(
        "broker ", connection.broker(), ": no answer in time; try again"));
  }
  return result;
}

}  // namespace berth::cli
