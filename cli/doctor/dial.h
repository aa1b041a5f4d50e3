#ifndef BERTH_CLI_DOCTOR_DIAL_H_
#define BERTH_CLI_DOCTOR_DIAL_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"

namespace berth::cli {

// A TCP connection, as a test of whether there can be one.
struct Dialled {
  UniqueFd socket;
  std::string address;  // "192.0.2.7:7780".
};

// Connects to `endpoint`, "host:port" or "[address]:port", trying each address
// of the host for `timeout`. Errors say what people can do: INVALID_ARGUMENT:
// no such endpoint; NOT_FOUND: the name can't be resolved; UNAVAILABLE: it
// refuses; DEADLINE_EXCEEDED: it does not answer.
// `refused` is what to ask oneself when it refuses.
inline constexpr absl::string_view kIsBrokerThere =
    "does berth-broker run, and is the port right ('listen' in broker.toml)?";
absl::StatusOr<Dialled> Dial(const std::string& endpoint,
                             absl::Duration timeout,
                             absl::string_view refused = kIsBrokerThere);

}  // namespace berth::cli

#endif  // BERTH_CLI_DOCTOR_DIAL_H_
