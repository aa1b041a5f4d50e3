#ifndef BERTH_CLI_INSTALL_PROBE_H_
#define BERTH_CLI_INSTALL_PROBE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::cli {

// What is on a host already, as it says itself.
struct HostState {
  std::string system;   // "Linux".
  std::string machine;  // "x86_64".
  std::string host;     // Its own name.
  std::string user;     // Numeric.
  std::string state_directory;
  std::string bash;                             // Path; empty: there is none.
  std::map<std::string, std::string> programs;  // SHA-256 in hex, by name.
  std::string broker;           // Of the fleet that it has joined; empty: none.
  std::string certificate_pem;  // Empty: it has joined none.
  std::string ca_pem;
};

// A script for a POSIX shell whose arguments are the state directory and the
// prefix, or empty for what is usual.
extern const char* const kProbeScript;

// Reads what it printed. INVALID_ARGUMENT: it did not get to its end.
absl::StatusOr<HostState> ParseProbe(absl::string_view output);

// Who the host is in the fleet with these CA certificates.
struct Membership {
  bool joined = false;
  std::string name;  // If joined.
};

// FAILED_PRECONDITION: it is in another fleet, which it is not for us to take
// it away from. A computer whose certificate has ended has to join again: it
// counts as not joined, with its name.
absl::StatusOr<Membership> MembershipOf(const HostState& host,
                                        const std::string& ca_pem);

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_PROBE_H_
