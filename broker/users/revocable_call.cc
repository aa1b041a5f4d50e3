#include "broker/users/revocable_call.h"

#include <utility>

#include "base/tls/credentials.h"

namespace berth::broker {

RevocableCall::RevocableCall(OpenCalls& calls,
                             grpc::CallbackServerContext* context,
                             OpenCalls::End end)
    : ticket_(calls,
              // The authorizer has seen to it that there is one.
              PeerCertificate(*context->auth_context()).value_or(nullptr),
              std::move(end), [context] { context->TryCancel(); }) {}

}  // namespace berth::broker
