#include "cli/install/probe.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "base/tls/expiry.h"
#include "base/tls/identity.h"

namespace berth::cli {

absl::StatusOr<HostState> ParseProbe(absl::string_view output) {
  HostState host;
  bool complete = false;
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    const auto& [key, value] = parts;
    const std::string text(value);
    if (key == "system") host.system = text;
    if (key == "machine") host.machine = text;
    if (key == "host") host.host = text;
    if (key == "user") host.user = text;
    if (key == "state") host.state_directory = text;
    if (key == "bash") host.bash = text;
    if (key == "berth-agent" || key == "berth-holder" || key == "berth-login") {
      host.programs[std::string(key)] = text;
    }
    if (key == "broker") host.broker = text;
    if (key == "certificate.pem") {
      absl::StrAppend(&host.certificate_pem, text, "\n");
    }
    if (key == "ca.pem") absl::StrAppend(&host.ca_pem, text, "\n");
    if (key == "end") complete = true;
  }
  if (!complete) {
    return absl::InvalidArgumentError(
        "its shell did not say what is there; does its login shell print or "
        "run anything else?");
  }
  return host;
}

absl::StatusOr<Membership> MembershipOf(const HostState& host,
                                        const std::string& ca_pem) {
  Membership membership;
  if (host.certificate_pem.empty()) return membership;
  BERTH_ASSIGN_OR_RETURN(const Identity identity,
                         CertificateIdentity(host.certificate_pem));
  membership.name = identity.name;
  if (!ShareCertificate(host.ca_pem, ca_pem)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it is '", EscapeForTerminal(identity.name),
        "' of another fleet, whose broker is ", EscapeForTerminal(host.broker),
        "; to take it away from there, run "
        "'berth-agent leave' on it first"));
  }
  membership.joined =
      !host.broker.empty() &&
      CheckNotExpired("", host.certificate_pem, absl::Now(), "").ok();
  return membership;
}

}  // namespace berth::cli
