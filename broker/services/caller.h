#ifndef BERTH_BROKER_SERVICES_CALLER_H_
#define BERTH_BROKER_SERVICES_CALLER_H_

#include <grpcpp/grpcpp.h>

#include <string>

#include "absl/status/status.h"
#include "broker/services/fleet.h"

namespace berth::broker {

// The name in the caller's certificate. The authorizer has seen to it that
// there is one, of the right purpose.
std::string CallerName(const grpc::CallbackServerContext& context);

// Whether the event of this call is kept, as a strict audit log demands before
// anything is done. Unavailable: then nothing may be.
absl::Status CheckKept(Fleet& fleet, const grpc::ServerContextBase& context);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_CALLER_H_
