#ifndef BERTH_AGENT_LINK_PUSHBACK_H_
#define BERTH_AGENT_LINK_PUSHBACK_H_

#include <grpcpp/grpcpp.h>

#include "absl/time/time.h"

namespace berth::agent {

// No broker keeps its agents away for longer.
inline constexpr absl::Duration kLongestPushback = absl::Minutes(5);

// For how long the broker that ended this call wants to be left alone (its
// "retry-pushback" in milliseconds); 0 if it did not say.
absl::Duration Pushback(const grpc::ClientContext& context);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_PUSHBACK_H_
