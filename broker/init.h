#ifndef BERTH_BROKER_INIT_H_
#define BERTH_BROKER_INIT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/tls/certificates.h"
#include "broker/config.h"

namespace berth::broker {

// Names of the files in a broker's directory.
inline constexpr char kCaFile[] = "ca.pem";
inline constexpr char kCaKeyFile[] = "ca-key.pem";
// While there are two: that of the old one. See broker/ca_rotation.h.
inline constexpr char kOldCaKeyFile[] = "ca-old-key.pem";
inline constexpr char kBrokerFile[] = "broker.pem";
inline constexpr char kBrokerKeyFile[] = "broker-key.pem";
inline constexpr char kConfigFile[] = "broker.toml";
// A copy of the policy that holds.
inline constexpr char kPolicyFile[] = "policy.toml";

// The broker's own certificate is made anew at a start that finds less than
// kRenewBefore of it left.
inline constexpr absl::Duration kBrokerLifetime = absl::Hours(2 * 366 * 24);
inline constexpr absl::Duration kRenewBefore = absl::Hours(366 * 24);
// The first administrator's.
inline constexpr absl::Duration kAdminLifetime = absl::Hours(366 * 24);

struct InitOptions {
  std::string directory;
  // Names under which the broker is reached; only printed. Empty: this host's.
  std::vector<std::string> hosts;
  std::string listen = Config().listen;
  std::string admin = "admin";
};

// Makes a broker's directory: CA, certificates of the broker and of its first
// administrator, and configuration. Returns what to tell the user.
// AlreadyExists: there is one already; nothing was changed.
absl::StatusOr<std::string> InitBroker(const InitOptions& options);

// The CA of `directory`, which issues. NotFound: run `berth-broker init`.
absl::StatusOr<CertificateAuthority> LoadCa(const std::string& directory);

// Makes another certificate for the administrator `name`, without a broker: two
// files in `directory`. Returns what to tell the user.
absl::StatusOr<std::string> MakeAdministrator(const std::string& directory,
                                              const std::string& name);

// What a broker serves with.
struct Credentials {
  CertificateAuthority ca;
  std::string cert_pem;
  std::string key_pem;
};

// Reads them from `directory`, renewing the broker's certificate if needed.
// NotFound: run `berth-broker init`.
absl::StatusOr<Credentials> LoadCredentials(const std::string& directory);

}  // namespace berth::broker

#endif  // BERTH_BROKER_INIT_H_
