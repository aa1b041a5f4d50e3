#ifndef BERTH_AGENT_LINK_CHANNEL_H_
#define BERTH_AGENT_LINK_CHANNEL_H_

#include <grpcpp/grpcpp.h>

#include <memory>

#include "agent/link/agent_state.h"

namespace berth::agent {

// A new connection to the broker; nothing is shared with earlier ones, so that
// the agent's own backoff decides when it is tried. The certificate may be
// empty, as it is while joining.
std::shared_ptr<grpc::Channel> DialBroker(const AgentState& state);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_CHANNEL_H_
