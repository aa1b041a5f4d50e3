#ifndef BERTH_BROKER_AUDIT_CONFIG_H_
#define BERTH_BROKER_AUDIT_CONFIG_H_

#include <toml++/toml.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "broker/audit/audit_log.h"

namespace berth::broker {

// What [audit] in broker.toml says.
struct AuditConfig {
  enum class Also { kNone, kStdout, kSyslog };

  AuditLog::Mode mode = AuditLog::Mode::kBestEffort;
  // Where every line goes as well.
  Also also = Also::kNone;
  // Whether the first line of a command's text is kept.
  bool command_text = true;
  uint64_t segment_bytes = 64 << 20;
  // How long lines are kept; zero: for ever.
  absl::Duration retention;
};

// Reads the table. InvalidArgument names the key.
absl::Status ReadAuditConfig(const toml::node& node, AuditConfig* config);

// The table as text, with a comment for every key.
std::string FormatAuditConfig(const AuditConfig& config);

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_CONFIG_H_
