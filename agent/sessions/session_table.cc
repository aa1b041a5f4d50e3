#include "agent/sessions/session_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth::agent {

absl::Status SessionTable::Reserve(const Place& place, const Limits& limits) {
  MutexLock lock(mu_);
  if (sessions_.contains(place.instance_id)) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is a session ",
                     EscapeForTerminal(place.instance_id), " already"));
  }
  const absl::Status room = CheckLimitsLocked(place, limits);
  if (!room.ok()) return room;
  sessions_[place.instance_id] = {place, nullptr};
  return absl::OkStatus();
}

absl::Status SessionTable::CheckLimitsLocked(const Place& place,
                                             const Limits& limits) const {
  uint64_t all = 0;
  uint64_t of_configuration = 0;
  uint64_t of_owner = 0;
  for (const auto& [id, entry] : sessions_) {
    if (entry.session != nullptr && entry.session->ended()) continue;
    ++all;
    if (entry.place.configuration != place.configuration) continue;
    ++of_configuration;
    of_owner += entry.place.owner == place.owner;
  }
  const std::string on = absl::StrCat(" on computer '", limits.computer, "'");
  const std::string of =
      absl::StrCat("configuration '", place.configuration, "'");
  if (limits.of_owner.has_value() && of_owner >= *limits.of_owner) {
    return absl::ResourceExhaustedError(
        absl::StrCat("user '", EscapeForTerminal(place.owner), "' has ",
                     of_owner, " sessions of ", of, on,
                     ", the limit for one user is ", *limits.of_owner,
                     ": end one (berth ls, berth rm), or raise "
                     "max_sessions_per_user there"));
  }
  if (limits.of_configuration.has_value() &&
      of_configuration >= *limits.of_configuration) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "there are ", of_configuration, " sessions of ", of, on,
        ", the limit for all users is ", *limits.of_configuration,
        ", so user '", EscapeForTerminal(place.owner),
        "' gets no more: end one (berth rm), use another configuration, or "
        "raise its max_sessions there"));
  }
  if (all >= limits.all) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "there are ", all, " sessions", on, ", its limit is ", limits.all,
        ", so user '", EscapeForTerminal(place.owner),
        "' gets no more: end one (berth rm), or raise max_sessions in its "
        "agent.toml"));
  }
  return absl::OkStatus();
}

void SessionTable::Release(absl::string_view instance_id) {
  MutexLock lock(mu_);
  const auto it = sessions_.find(instance_id);
  if (it != sessions_.end() && it->second.session == nullptr) {
    sessions_.erase(it);
  }
}

void SessionTable::Add(Session session) {
  const v1::Session now = session->Snapshot();
  Entry entry{{now.instance_id(), now.configuration(), now.owner()},
              std::move(session)};
  MutexLock lock(mu_);
  sessions_[now.instance_id()] = std::move(entry);
}

SessionTable::Session SessionTable::Find(absl::string_view instance_id) const {
  MutexLock lock(mu_);
  const auto it = sessions_.find(instance_id);
  return it == sessions_.end() ? nullptr : it->second.session;
}

absl::StatusOr<SessionTable::Session> SessionTable::FindOwned(
    absl::string_view user, absl::string_view instance_id) const {
  Session session = Find(instance_id);
  if (session == nullptr || session->owner() != user) {
    return absl::NotFoundError(absl::StrCat(
        "no session ", EscapeForTerminal(instance_id), " on this computer"));
  }
  return session;
}

void SessionTable::Remove(absl::string_view instance_id) {
  MutexLock lock(mu_);
  sessions_.erase(instance_id);
}

std::vector<SessionTable::Session> SessionTable::All() const {
  MutexLock lock(mu_);
  std::vector<Session> all;
  for (const auto& [id, entry] : sessions_) {
    if (entry.session != nullptr) all.push_back(entry.session);
  }
  return all;
}

}  // namespace berth::agent
