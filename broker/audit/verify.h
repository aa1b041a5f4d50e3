#ifndef BERTH_BROKER_AUDIT_VERIFY_H_
#define BERTH_BROKER_AUDIT_VERIFY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/audit/log_file.h"
#include "broker/audit/signing.h"

namespace berth::broker {

// What verifying an audit log has shown.
struct AuditReport {
  // The first change, with file and line; empty: none was found.
  std::string finding;
  // What is no change, but good to know; such as what can't be known.
  std::vector<std::string> notes;
  uint64_t lines = 0;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  // The last good checkpoint: everything up to it is as it was written.
  uint64_t signed_through = 0;
  absl::Time signed_at = absl::InfinitePast();

  bool intact() const { return finding.empty(); }
};

// Reads the whole log in `directory` and checks numbers, hashes and signatures
// up to the first change. `heads`: lines that are known to have been written,
// such as a serving broker's last one. A log that is being written can be
// verified. Fails if it can't be read; NotFound: there is none.
absl::StatusOr<AuditReport> VerifyAuditLog(const std::string& directory,
                                           const AuditPublicKeys& keys,
                                           std::vector<AuditHead> heads);

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_VERIFY_H_
