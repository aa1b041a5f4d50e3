#ifndef BERTH_CLI_INSTALL_FLEET_SIDE_H_
#define BERTH_CLI_INSTALL_FLEET_SIDE_H_

#include <map>
#include <string>

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
  FleetSide(Invocation& invocation, Connection& connection)
      : invocation_(invocation), connection_(connection) {}

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

  // Waits until the computer is online. DEADLINE_EXCEEDED: not in `limit`.
  absl::Status WaitOnline(const std::string& name, absl::Duration limit);

  // Runs `true` in a session made for that. Returns what there is to tell:
  // nothing; or that the computer answers, but lets this user have no session.
  absl::StatusOr<std::string> Prove(const std::string& name);

 private:
  absl::Status RunTrue(const std::string& instance_id);

  Invocation& invocation_;
  Connection& connection_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_FLEET_SIDE_H_
