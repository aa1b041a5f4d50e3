#ifndef BERTH_BROKER_LIMITS_CONFIG_H_
#define BERTH_BROKER_LIMITS_CONFIG_H_

#include <toml++/toml.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "broker/limits/call_limiter.h"
#include "broker/limits/connection_table.h"

namespace berth::broker {

// What [limits] in broker.toml says: what strangers and single users can take.
struct LimitsConfig {
  CallLimiter::Limits calls;
  ConnectionTable::Limits connections;
  // How long a connection may take to say who it is. When a whole fleet comes
  // at once, its handshakes wait for each other.
  absl::Duration handshake_timeout = absl::Seconds(60);
  // What all connections together may use for messages, in MiB.
  size_t memory_mib = 2048;
};

// Reads the table. InvalidArgument names the key.
absl::Status ReadLimitsConfig(const toml::node& node, LimitsConfig* config);

// The table as text, with a comment for every key.
std::string FormatLimitsConfig(const LimitsConfig& config);

}  // namespace berth::broker

#endif  // BERTH_BROKER_LIMITS_CONFIG_H_
