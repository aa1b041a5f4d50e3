#ifndef BERTH_AGENT_SESSIONS_CONFIG_H_
#define BERTH_AGENT_SESSIONS_CONFIG_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/sessions/configuration.h"
#include "agent/sessions/run_as.h"

namespace berth::agent {

// An agent's settings. There is always a configuration called "default".
struct Config {
  std::map<std::string, Configuration> configurations = {
      {std::string("default"), Configuration()}};
  // Used by requests that name none.
  std::string default_configuration = "default";
  // Live sessions that this computer takes.
  uint64_t max_sessions = 256;
  // Below which sessions get cgroups of their own. Empty: the agent's own.
  std::string cgroup;
  RunAsRules run_as;
  // Recordings that the broker has not yet: how much of this computer's disk
  // they may take, and how old what is printed gets before it is sealed.
  uint64_t recordings_limit = 1 << 30;
  absl::Duration recordings_seal_after = absl::Minutes(1);
};

// Parses the text of an agent.toml:
//
//   max_sessions = 256
//   default_configuration = "default"
//   cgroup = "/sys/fs/cgroup/berth.slice"
//   run_as = "caller"
//   allowed_run_as = ["deploy"]
//   denied_run_as = []
//   allowed_owners = ["alice", "ops-*"]
//   holder_user = "berth-holder"
//   pam = "berth"
//   [recordings]
//   limit = "1GiB"
//   seal_after = "60s"
//   [users]
//   alice = "al"
//   [configurations.default]
//   shell = "/bin/bash"
//   ...
//
// Everything is optional. INVALID_ARGUMENT, with `path` and the line: a key
// that does not exist, or a value that makes no sense. Whether the default
// configuration exists is not checked: it may be in a file of its own.
absl::StatusOr<Config> ParseConfig(absl::string_view text,
                                   absl::string_view path);

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_CONFIG_H_
