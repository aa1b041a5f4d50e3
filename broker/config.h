#ifndef BERTH_BROKER_CONFIG_H_
#define BERTH_BROKER_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "broker/audit_config.h"
#include "broker/limits_config.h"
#include "broker/recording_config.h"
#include "broker/services/admission.h"

namespace berth::broker {

// What broker.toml says. The defaults are those of a file that says nothing.
struct Config {
  std::string listen = "0.0.0.0:7780";
  std::string log_level = "info";
  // The registry's file; relative to the broker's directory.
  std::string registry = "registry.db";
  // Users that may make join tokens and certificates.
  std::vector<std::string> admins = {"admin"};
  // How long a client may be gone before its sessions are disconnected.
  absl::Duration hold_grace = absl::Seconds(2);
  // For how long certificates are issued, if nothing else is asked for.
  absl::Duration agent_certificate_lifetime = absl::Hours(30 * 24);
  absl::Duration user_certificate_lifetime = absl::Hours(12);
  // For how long after a login a user's certificate renews itself.
  absl::Duration max_renewal = absl::Hours(7 * 24);
  // After how long without a word a client or agent is asked whether it is
  // there; it is lost when it does not answer within 10 s.
  absl::Duration ping_after = absl::Seconds(45);
  // How many agents are let in at a time, and may wait.
  Admission::Limits admission;
  AuditConfig audit;
  LimitsConfig limits;
  RecordingConfig recording;
};

// Reads the text of a broker.toml. InvalidArgument names `path` and the line,
// also for a key that does not exist.
absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   absl::string_view path);

// A broker.toml that says what `config` does, with a comment for every key.
std::string FormatConfig(const Config& config);

}  // namespace berth::broker

#endif  // BERTH_BROKER_CONFIG_H_
