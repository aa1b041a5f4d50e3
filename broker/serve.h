#ifndef BERTH_BROKER_SERVE_H_
#define BERTH_BROKER_SERVE_H_

#include <string>

#include "absl/status/status.h"

namespace berth::broker {

// Runs the broker of `directory` until SIGTERM or SIGINT. Prints "ready port=N"
// once it serves. `listen` replaces the configured address, if not empty.
absl::Status Serve(const std::string& directory, const std::string& listen);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVE_H_
