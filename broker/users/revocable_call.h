#ifndef BERTH_BROKER_USERS_REVOCABLE_CALL_H_
#define BERTH_BROKER_USERS_REVOCABLE_CALL_H_

#include <grpcpp/grpcpp.h>

#include "broker/users/open_calls.h"

namespace berth::broker {

// A member of every reactor that serves a stream, the last one: sees to it that
// the stream ends once its caller's certificate is refused.
class RevocableCall {
 public:
  // `end`: as for OpenCalls::Ticket.
  RevocableCall(OpenCalls& calls, grpc::CallbackServerContext* context,
                OpenCalls::End end);

 private:
  OpenCalls::Ticket ticket_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_USERS_REVOCABLE_CALL_H_
