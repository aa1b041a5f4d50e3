#ifndef BERTH_BROKER_GATEWAY_THREAD_H_
#define BERTH_BROKER_GATEWAY_THREAD_H_

#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace berth::gateway {

// A new thread. ResourceExhausted: the machine has no more; how many there are
// is up to clients, so that must not end the process.
absl::StatusOr<std::thread> StartThread(std::function<void()> run);

// One that nobody waits for.
absl::Status StartDetached(std::function<void()> run);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_THREAD_H_
