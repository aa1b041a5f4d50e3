#ifndef BERTH_AGENT_LINK_CALL_H_
#define BERTH_AGENT_LINK_CALL_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "agent/sessions/session_service.h"
#include "agent/sessions/worker_pool.h"
#include "proto/berth/link/v1/link.pb.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// What calls need of the agent. All of it outlives them.
struct CallContext {
  std::shared_ptr<grpc::ChannelInterface> channel;
  SessionService& sessions;
  WorkerPool& workers;
  // Sends the end of a call on Control.
  std::function<void(uint64_t call_id, uint64_t frames,
                     const absl::Status& status)>
      ended;
  // Tells on Control that a call's client has started a command that its first
  // frame did not name.
  std::function<void(const link::v1::OpenCall& open,
                     const v1::StartCommand& start)>
      started;
};

// One Run, Receive, Enter or Copy, on the agent's side.
class Call {
 public:
  virtual ~Call() = default;

  // Does all of it, on the calling thread and one of the pool's. Once.
  virtual void Run() = 0;

  // The client is gone, or the agent goes down. Any thread, any time.
  virtual void Cancel() = 0;
};

// INVALID_ARGUMENT: a method that this agent doesn't have.
absl::StatusOr<std::shared_ptr<Call>> MakeCall(CallContext context,
                                               link::v1::OpenCall open);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_CALL_H_
