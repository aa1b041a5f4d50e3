#ifndef BERTH_CLI_INSTALL_FLEET_SIDE_H_
#define BERTH_CLI_INSTALL_FLEET_SIDE_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "proto/berth/v1/computers.pb.h"

namespace berth::cli {

// What installing agents needs from the broker. Thread-safe.
class FleetSide {
 public:
  // `context` is the name that the connection is of; empty: the current one.
  FleetSide(Invocation& invocation, Connection& connection, std::string context)
      : invocation_(invocation),
        connection_(connection),
        context_(std::move(context)) {}

  // The computers that there are. Also the first call: it says whether the
  // broker can be reached at all.
  absl::StatusOr<std::map<std::string, v1::Computer>> Computers();

  struct Token {
    std::string id;
    std::string secret;
  };
  // A token for one computer of this name, good for `lifetime`.
  absl::StatusOr<Token> CreateToken(const std::string& name,
                                    absl::Duration lifetime);
  // Makes it useless, if it still is of any use.
  void RemoveToken(const Token& token);

  // Calls `work` until it does not fail with UNAVAILABLE, as it does while an
  // agent that begins anew is away; each time waits until `name` is online.
  absl::Status WhileItComesBack(const std::string& name,
                                const std::function<absl::Status()>& work);

  // Waits until the computer is online. DEADLINE_EXCEEDED: not in `limit`.
  absl::Status WaitOnline(const std::string& name, absl::Duration limit);

  // Makes a session on a computer; as the account `run_as`, unless that is
  // empty. Returns its instance id.
  absl::StatusOr<std::string> MakeSession(const std::string& computer,
                                          const std::string& name,
                                          const std::string& run_as);
  absl::Status RemoveSession(const std::string& instance_id);

  // Runs a script in a session, and returns what it printed. INTERNAL: it
  // failed; the message is what it said. It goes on over a restarted agent.
  absl::StatusOr<std::string> RunIn(const std::string& instance_id,
                                    const std::string& script,
                                    absl::Duration limit);

  // Copies files into a folder of the computer's, by way of a session.
  absl::Status CopyTo(const std::string& instance_id,
                      const std::vector<std::string>& files,
                      const std::string& folder, absl::Duration limit);

  // Runs `true` in a session made for that. Returns what there is to tell:
  // nothing; or that the computer answers, but lets this user have no session.
  absl::StatusOr<std::string> Prove(const std::string& name);

 private:
  Invocation& invocation_;
  Connection& connection_;
  const std::string context_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_FLEET_SIDE_H_
