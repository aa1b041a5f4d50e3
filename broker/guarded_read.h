#ifndef BERTH_BROKER_GUARDED_READ_H_
#define BERTH_BROKER_GUARDED_READ_H_

#include "broker/limits/call_limiter.h"

namespace berth::broker {

// Bounds what peers of this process's servers may say in HTTP/2. Who says more
// is sent away, before anything of it is done: a stranger by the connection, a
// user by twice the calls that they may make, an agent by twenty times that, as
// it has a part in those of many. Thread-safe.
void LimitFrames(const CallLimiter::Limits& calls);

}  // namespace berth::broker

#endif  // BERTH_BROKER_GUARDED_READ_H_
