#ifndef BERTH_BROKER_RELAY_AGENTS_H_
#define BERTH_BROKER_RELAY_AGENTS_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "broker/registry/records.h"
#include "broker/registry/registry.h"
#include "broker/relay/agent_connection.h"

namespace berth::broker {

// Agents knows the live link to each computer, and lets only that one speak for
// its computer in the registry: what a link says after it was replaced is
// ignored. Thread-safe.
class Agents {
 public:
  explicit Agents(Registry& registry) : registry_(registry) {}

  // Makes `connection` the link to its computer, whose agent said `hello`. The
  // link before it, if any, is ended with Aborted. `*record` becomes what the
  // store should keep of the computer.
  Registry::Changes Add(std::shared_ptr<AgentConnection> connection,
                        const link::v1::Hello& hello, ComputerRecord* record)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Removes `connection`. Not set: it had been replaced, and the computer is
  // still online.
  std::optional<ComputerRecord> Remove(const AgentConnection& connection)
      ABSL_LOCKS_EXCLUDED(mu_);

  // What came through `connection` about a session. As Registry::Put() and
  // Registry::Remove().
  absl::StatusOr<Registry::Changes> Put(const AgentConnection& connection,
                                        const v1::Session& session)
      ABSL_LOCKS_EXCLUDED(mu_);
  Registry::Changes RemoveSession(const AgentConnection& connection,
                                  absl::string_view instance_id)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The same for its configurations. Not set: it was replaced.
  std::optional<ComputerRecord> SetConfigurations(
      const AgentConnection& connection,
      const link::v1::ConfigurationsChanged& changed) ABSL_LOCKS_EXCLUDED(mu_);

  // The link to a computer; null if it is offline.
  std::shared_ptr<AgentConnection> Find(absl::string_view computer) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Ends every link, and whatever goes through it, with `status`.
  void CloseAll(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  bool IsCurrentLocked(const AgentConnection& connection) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Registry& registry_;
  mutable Mutex mu_;
  absl::flat_hash_map<std::string, std::shared_ptr<AgentConnection>>
      connections_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_RELAY_AGENTS_H_
