#include "broker/relay/agents.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace berth::broker {

Registry::Changes Agents::Add(std::shared_ptr<AgentConnection> connection,
                              const link::v1::Hello& hello,
                              ComputerRecord* record) {
  std::shared_ptr<AgentConnection> replaced;
  Registry::Changes changes;
  {
    MutexLock lock(mu_);
    changes =
        registry_.LinkUp(connection->computer(), hello, absl::Now(), record);
    auto& slot = connections_[connection->computer()];
    replaced = std::exchange(slot, std::move(connection));
  }
  if (replaced != nullptr) {
    replaced->Close(
        absl::AbortedError("a newer link of this computer took over"),
        absl::UnavailableError(absl::StrCat(
            "computer '", replaced->computer(),
            "' has reconnected; its sessions live on, try again")));
  }
  return changes;
}

std::optional<ComputerRecord> Agents::Remove(
    const AgentConnection& connection) {
  MutexLock lock(mu_);
  if (!IsCurrentLocked(connection)) return std::nullopt;
  connections_.erase(connection.computer());
  return registry_.LinkDown(connection.computer(), absl::Now());
}

absl::StatusOr<Registry::Changes> Agents::Put(const AgentConnection& connection,
                                              const v1::Session& session) {
  MutexLock lock(mu_);
  if (!IsCurrentLocked(connection)) return Registry::Changes();
  return registry_.Put(connection.computer(), session);
}

Registry::Changes Agents::RemoveSession(const AgentConnection& connection,
                                        absl::string_view instance_id) {
  MutexLock lock(mu_);
  if (!IsCurrentLocked(connection)) return Registry::Changes();
  return registry_.Remove(connection.computer(), instance_id);
}

std::optional<ComputerRecord> Agents::SetConfigurations(
    const AgentConnection& connection,
    const link::v1::ConfigurationsChanged& changed) {
  MutexLock lock(mu_);
  if (!IsCurrentLocked(connection)) return std::nullopt;
  ComputerRecord record;
  registry_.SetConfigurations(connection.computer(), changed, &record);
  return record;
}

bool Agents::IsCurrentLocked(const AgentConnection& connection) const {
  auto found = connections_.find(connection.computer());
  return found != connections_.end() && found->second.get() == &connection;
}

std::shared_ptr<AgentConnection> Agents::Find(
    absl::string_view computer) const {
  MutexLock lock(mu_);
  auto found = connections_.find(computer);
  return found == connections_.end() ? nullptr : found->second;
}

void Agents::CloseAll(const absl::Status& status) {
  std::vector<std::shared_ptr<AgentConnection>> all;
  {
    MutexLock lock(mu_);
    for (auto& [name, connection] : connections_) all.push_back(connection);
  }
  for (auto& connection : all) connection->Close(status, status);
}

}  // namespace berth::broker
