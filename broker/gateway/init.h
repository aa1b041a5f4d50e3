#ifndef BERTH_BROKER_GATEWAY_INIT_H_
#define BERTH_BROKER_GATEWAY_INIT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/gateway/config.h"

namespace berth::gateway {

// Names of the files in a gateway's directory, beside the host keys.
inline constexpr char kCaFile[] = "ca.pem";
inline constexpr char kCertificateFile[] = "gateway.pem";
inline constexpr char kKeyFile[] = "gateway-key.pem";
inline constexpr char kConfigFile[] = "gateway.toml";

// Of a gateway's own certificate, which does not renew itself.
inline constexpr absl::Duration kCertificateLifetime =
    absl::Hours(2 * 366 * 24);

struct InitOptions {
  std::string directory;
  // Of the broker, whose CA issues the gateway's certificate.
  std::string broker_directory;
  // In its certificate, for the audit log.
  std::string name = "main";
  Config config;
};

// Makes a gateway's directory: its certificate, host keys and configuration.
// In one that is there only the certificate is made anew. Returns what to tell
// the user.
absl::StatusOr<std::string> InitGateway(const InitOptions& options);

// The fingerprints of its host keys, a line each, as ssh shows them.
absl::StatusOr<std::string> HostKeyLines(const std::string& directory);

}  // namespace berth::gateway

#endif  // BERTH_BROKER_GATEWAY_INIT_H_
