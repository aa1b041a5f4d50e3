#ifndef BERTH_BASE_GRPC_STATUS_H_
#define BERTH_BASE_GRPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace berth {

// Trailing metadata of a call that the broker had passed on to an agent before
// it ended: only the agent knows what became of it.
inline constexpr char kForwardedKey[] = "berth-forwarded";

// Between Abseil's status and gRPC's; the codes are the same.
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace berth

#endif  // BERTH_BASE_GRPC_STATUS_H_
