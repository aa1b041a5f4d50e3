#ifndef BERTH_CLI_DOCTOR_TLS_PROBE_H_
#define BERTH_CLI_DOCTOR_TLS_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace berth::cli {

// What a client shows, and trusts (PEM).
struct TlsIdentity {
  std::string ca_pem;
  std::string cert_pem;
  std::string key_pem;
};

// Shakes hands over `socket`, which is connected, as a client of a broker
// would, and hears its first bytes. gRPC tells only that it could not; this
// says why, and what people can do. INVALID_ARGUMENT: the identity's files
// can't be used. UNAVAILABLE: what listens there is no broker.
// UNAUTHENTICATED: one side does not trust the other. DEADLINE_EXCEEDED.
absl::Status ProbeTls(int socket, const TlsIdentity& identity,
                      absl::Duration timeout);

}  // namespace berth::cli

#endif  // BERTH_CLI_DOCTOR_TLS_PROBE_H_
