#ifndef BERTH_BROKER_RECORDING_CONFIG_H_
#define BERTH_BROKER_RECORDING_CONFIG_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "toml++/toml.h"

namespace berth::broker {

// The table [recording] of broker.toml.
struct RecordingConfig {
  // How long recordings are kept after their last entry; zero: for ever.
  absl::Duration keep = absl::Hours(90 * 24);
  // All together; 0: as many as the disk takes.
  uint64_t max_bytes = uint64_t{10} << 30;
};

// InvalidArgument: a key that does not exist, or a bad value.
absl::Status ReadRecordingConfig(const toml::node& node,
                                 RecordingConfig* config);

// The table, with a comment for every key.
std::string FormatRecordingConfig(const RecordingConfig& config);

}  // namespace berth::broker

#endif  // BERTH_BROKER_RECORDING_CONFIG_H_
