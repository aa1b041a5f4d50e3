#ifndef BERTH_AGENT_SESSIONS_ENVIRONMENT_H_
#define BERTH_AGENT_SESSIONS_ENVIRONMENT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::agent {

// Where a session's shell starts from.
struct ShellEnvironment {
  std::vector<std::string> variables;  // "NAME=value", each name once.
  std::string home;
};

// INVALID_ARGUMENT: a bad name, a NUL, or a variable that runs code in every
// program (LD_*, BASH_ENV, ENV).
absl::Status CheckVariable(absl::string_view name, absl::string_view value);
// The same for all of them; also: more than 256, or 64 KiB.
absl::Status CheckVariables(
    const std::map<std::string, std::string>& variables);

// Makes the environment of a session's shell: from the agent's own only what
// is known to be for shells (so none of its secrets or settings get there),
// the basics where they are missing, then what its configuration has, then
// `requested`, then BERTH_SESSION with the session's UUID. INVALID_ARGUMENT:
// see CheckVariables, of `requested`.
absl::StatusOr<ShellEnvironment> MakeShellEnvironment(
    const std::map<std::string, std::string>& own,
    const std::map<std::string, std::string>& configured,
    const std::map<std::string, std::string>& requested,
    const std::string& shell, absl::string_view instance_id);

// The environment of this process, by name.
std::map<std::string, std::string> OwnEnvironment();

}  // namespace berth::agent

#endif  // BERTH_AGENT_SESSIONS_ENVIRONMENT_H_
