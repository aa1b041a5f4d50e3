#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/registry/registry.h"

namespace berth::broker {
SessionRecord Registry::Find(absl::string_view instance_id) const {
  MutexLock lock(mu_);
  auto found = sessions_.find(instance_id);
  return found == sessions_.end() ? nullptr : found->second;
}

std::vector<SessionRecord> Registry::SessionsOf(absl::string_view owner,
                                                const IdKey& after,
                                                size_t limit) const {
  MutexLock lock(mu_);
  std::vector<SessionRecord> some;
  auto found = owners_.find(owner);
  if (found == owners_.end()) return some;
  const auto& sessions = found->second.sessions;
  for (auto it = sessions.upper_bound(after);
       it != sessions.end() && some.size() < limit; ++it) {
    some.push_back(it->second);
  }
  return some;
}

std::vector<SessionRecord> Registry::SessionsOf(absl::string_view owner) const {
  MutexLock lock(mu_);
  std::vector<SessionRecord> all;
  auto found = owners_.find(owner);
  if (found == owners_.end()) return all;
  all.reserve(found->second.sessions.size());
  for (const auto& [key, session] : found->second.sessions) {
    all.push_back(session);
  }
  return all;
}

std::vector<std::string> Registry::Owners() const {
  std::vector<std::string> owners;
  {
    MutexLock lock(mu_);
    for (const auto& [name, owner] : owners_) {
      if (!owner.sessions.empty()) owners.push_back(name);
    }
  }
  std::sort(owners.begin(), owners.end());
  return owners;
}

std::vector<SessionRecord> Registry::SessionsOn(
    absl::string_view computer) const {
  MutexLock lock(mu_);
  std::vector<SessionRecord> all;
  auto found = computers_.find(computer);
  if (found == computers_.end()) return all;
  for (const std::string& id : found->second.sessions) {
    auto session = sessions_.find(id);
    if (session != sessions_.end()) all.push_back(session->second);
  }
  return all;
}

std::vector<SessionRecord> Registry::HeldSessions() const {
  MutexLock lock(mu_);
  std::vector<SessionRecord> held;
  for (const auto& [id, session] : sessions_) {
    if (session->has_holder() && !session->has_end()) held.push_back(session);
  }
  return held;
}

absl::StatusOr<Reachability> Registry::GetReachability(
    absl::string_view computer) const {
  MutexLock lock(mu_);
  auto found = computers_.find(computer);
  if (found == computers_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no computer '", computer, "'; see `berth computers`"));
  }
  return found->second.reach;
}

absl::StatusOr<std::string> Registry::ComputerNamed(
    absl::string_view name) const {
  MutexLock lock(mu_);
  if (computers_.contains(name)) return std::string(name);
  for (const auto& [known, entry] : computers_) {
    if (absl::EqualsIgnoreCase(known, name)) return known;
  }
  return NoComputer(name);
}

absl::Status Registry::NoComputer(absl::string_view name) {
  return absl::NotFoundError(absl::StrCat("no computer '",
                                          EscapeForTerminal(name.substr(0, 80)),
                                          "'; see `berth computers`"));
}

absl::StatusOr<NodeSet::Node> Registry::NodeNamed(
    absl::string_view name) const {
  BERTH_ASSIGN_OR_RETURN(std::string known, ComputerNamed(name));
  MutexLock lock(mu_);
  auto found = computers_.find(known);
  NodeSet::Node node{std::move(known), {}};
  // None is ever forgotten.
  if (found != computers_.end()) node.labels = found->second.record.labels;
  return node;
}

v1::Session Registry::View(absl::string_view client_id,
                           const v1::Session& session) const {
  Reachability reach;
  {
    MutexLock lock(mu_);
    auto found = computers_.find(session.computer());
    if (found != computers_.end()) reach = found->second.reach;
  }
  return SessionAsSeenBy(client_id, session, reach);
}

std::vector<std::string> Registry::Unheard() const {
  MutexLock lock(mu_);
  std::vector<std::string> names;
  for (const auto& [name, entry] : computers_) {
    if (!entry.heard) names.push_back(name);
  }
  return names;
}

std::vector<v1::Computer> Registry::Computers() const {
  MutexLock lock(mu_);
  std::vector<v1::Computer> all;
  for (const auto& [name, entry] : computers_) {
    v1::Computer& computer = all.emplace_back();
    computer.set_name(name);
    computer.set_state(entry.reach.online ? v1::COMPUTER_STATE_ONLINE
                                          : v1::COMPUTER_STATE_OFFLINE);
    *computer.mutable_since() = ToProto(entry.reach.since);
    computer.mutable_labels()->insert(entry.record.labels.begin(),
                                      entry.record.labels.end());
    computer.set_agent_version(entry.record.agent_version);
    computer.set_os(entry.record.os);
    if (entry.reach.online) computer.set_frozen(entry.frozen);
    computer.set_sessions(entry.sessions.size());
    for (const auto& [key, info] : entry.configurations) {
      if (info.enabled()) computer.add_configurations(key);
    }
  }
  return all;
}

}  // namespace berth::broker
