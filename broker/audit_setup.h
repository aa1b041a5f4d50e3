#ifndef BERTH_BROKER_AUDIT_SETUP_H_
#define BERTH_BROKER_AUDIT_SETUP_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/audit/audit_log.h"
#include "broker/audit_config.h"

namespace berth::broker {

// Names in a broker's directory. The key signs the audit log and recordings; the file of
// public keys has every one that was ever in use.
inline constexpr char kAuditDirectory[] = "audit";
inline constexpr char kAuditKeyFile[] = "audit-key.pem";
inline constexpr char kAuditPublicFile[] = "audit-pub.pem";

// The key in `directory`; makes one, and adds it to the public ones, if there
// is none. Fails as the file system does; InvalidArgument: the file is no key.
absl::StatusOr<AuditKey> LoadOrMakeAuditKey(const std::string& directory);

// The audit log of the broker in `directory`, which writes from now on.
absl::StatusOr<std::unique_ptr<AuditLog>> OpenAuditLog(
    const std::string& directory, const AuditConfig& config);

// `berth-broker audit verify`: verifies the log of the broker in `directory`
// (or a copy of its audit directory) and prints what was found. `public_key`:
// the file to trust instead of the one beside the log. DataLoss: a change.
absl::Status VerifyOffline(const std::string& directory,
                           const std::string& public_key);

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_SETUP_H_
