#ifndef BERTH_BROKER_SERVICES_CALLER_H_
#define BERTH_BROKER_SERVICES_CALLER_H_

#include <grpcpp/grpcpp.h>

#include <string>

namespace berth::broker {

// The name in the caller's certificate. The authorizer has seen to it that
// there is one, of the right purpose.
std::string CallerName(const grpc::CallbackServerContext& context);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_CALLER_H_
