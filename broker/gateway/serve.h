#ifndef BERTH_BROKER_GATEWAY_SERVE_H_
#define BERTH_BROKER_GATEWAY_SERVE_H_

#include <string>

#include "absl/status/status.h"

namespace berth::gateway {

// Serves with what `directory` has, until a SIGTERM or SIGINT. `listen`:
// instead of what its configuration says, if it is not empty. Call from main(),
// before there are threads.
absl::Status Serve(const std::string& directory, const std::string& listen);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_SERVE_H_
