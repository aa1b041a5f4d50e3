#ifndef BERTH_CLI_COMMANDS_TARGETS_H_
#define BERTH_CLI_COMMANDS_TARGETS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/client/connection.h"
#include "cli/client/sessions.h"
#include "cli/invocation/invocation.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// A session that a command works on.
struct Target {
  v1::SessionRef ref;
  // What the user calls it: for messages.
  std::string name;
  // As listed; empty if the target was named outright.
  v1::Session session;
};

struct Targets {
  std::vector<Target> targets;
  // Why some of what the user named is not among them.
  absl::Status status;
};

// The sessions that `query` names. At least one selector must be there.
Targets FindTargets(Connection& connection, Invocation& invocation,
                    const SessionQuery& query);

// Calls `work` for each target, in parallel; tells the user of each failure.
// Prints the sessions that it returns, in the order of the targets. Returns
// the exit status: 0 only if all was found and done.
int ForEachTarget(
    Connection& connection, Invocation& invocation, const SessionQuery& query,
    const std::function<absl::StatusOr<v1::Session>(const Target&)>& work,
    std::vector<v1::Session>& results);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_TARGETS_H_
