#ifndef BERTH_AGENT_LINK_ENROLLMENT_H_
#define BERTH_AGENT_LINK_ENROLLMENT_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/link/agent_state.h"

namespace berth::agent {

struct JoinRequest {
  std::string broker;  // "host:port"
  std::string ca_pem;
  std::string token;
  std::string name;
  std::map<std::string, std::string> labels;
};

// Makes a key, and trades the token for a certificate. Errors as Link.Enroll,
// and UNAVAILABLE: the broker can't be reached.
absl::StatusOr<AgentState> Join(const JoinRequest& request);

// When a certificate should be renewed: after two thirds of its life.
// INVALID_ARGUMENT if it can't be read.
absl::StatusOr<absl::Time> RenewalTime(const std::string& certificate_pem);

// Whether the certificate of `state` should be renewed: it is time, or it is of
// another CA than the first that is trusted, which issues now.
bool IsRenewalDue(const AgentState& state, absl::Time now);

// Gets a new certificate for the key of `state`.
absl::Status Renew(std::shared_ptr<grpc::Channel> channel, AgentState& state);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_ENROLLMENT_H_
