#include "agent/link/agent_state.h"

#include <stdlib.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "base/tls/certificates.h"
#include "base/tls/identity.h"

namespace berth::agent {
namespace {

constexpr char kBroker[] = "/broker";
constexpr char kKey[] = "/key.pem";
constexpr char kCertificate[] = "/certificate.pem";
constexpr char kCa[] = "/ca.pem";

}  // namespace

std::string DefaultStateDirectory() {
  if (geteuid() == 0) return "/var/lib/berth/agent";
  const char* state = getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') {
    return absl::StrCat(state, "/berth/agent");
  }
  const char* home = getenv("HOME");
  return absl::StrCat(home == nullptr ? "" : home, "/.local/state/berth/agent");
}

absl::StatusOr<AgentState> LoadAgentState(const std::string& directory) {
  AgentState state;
  absl::StatusOr<std::string> certificate = ReadFile(directory + kCertificate);
  if (absl::IsNotFound(certificate.status())) {
    return absl::NotFoundError(
        absl::StrCat(directory,
                     " has no certificate: this computer has not joined a "
                     "fleet yet; see `berth-agent join --help`"));
  }
  BERTH_ASSIGN_OR_RETURN(state.certificate_pem, std::move(certificate));
  BERTH_ASSIGN_OR_RETURN(state.broker, ReadFile(directory + kBroker));
  absl::StripAsciiWhitespace(&state.broker);
  BERTH_ASSIGN_OR_RETURN(state.key_pem, ReadSecretFile(directory + kKey));
  BERTH_ASSIGN_OR_RETURN(state.ca_pem, ReadFile(directory + kCa));
  return state;
}

absl::Status SaveAgentState(const std::string& directory,
                            const AgentState& state) {
  BERTH_RETURN_IF_ERROR(MakePrivateDirectory(directory));
  BERTH_RETURN_IF_ERROR(
      WriteFileAtomically(directory + kBroker, state.broker + "\n"));
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(directory + kKey, state.key_pem));
  BERTH_RETURN_IF_ERROR(WriteFileAtomically(directory + kCa, state.ca_pem));
  return WriteFileAtomically(directory + kCertificate, state.certificate_pem);
}

absl::StatusOr<std::string> ComputerName(const AgentState& state) {
  BERTH_ASSIGN_OR_RETURN(const Identity identity,
                         CertificateIdentity(state.certificate_pem));
  if (identity.purpose != Purpose::kAgent) {
    return absl::InvalidArgumentError(
        "the certificate in the state directory is not an agent's");
  }
  return identity.name;
}

}  // namespace berth::agent
