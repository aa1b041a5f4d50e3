#include "agent/sessions/session_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/escape.h"

namespace berth::agent {

absl::Status SessionTable::Reserve(absl::string_view instance_id,
                                   size_t limit) {
  MutexLock lock(mu_);
  if (sessions_.contains(instance_id)) {
    return absl::AlreadyExistsError(absl::StrCat(
        "there is a session ", EscapeForTerminal(instance_id), " already"));
  }
  size_t live = 0;
  for (const auto& [id, session] : sessions_) {
    live += session == nullptr || !session->ended();
  }
  if (live >= limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat("this computer has ", live,
                     " sessions, its limit: end one (berth rm), "
                     "or raise max_sessions in its agent.toml"));
  }
  sessions_.emplace(std::string(instance_id), nullptr);
  return absl::OkStatus();
}

void SessionTable::Release(absl::string_view instance_id) {
  MutexLock lock(mu_);
  const auto it = sessions_.find(instance_id);
  if (it != sessions_.end() && it->second == nullptr) sessions_.erase(it);
}

void SessionTable::Add(Session session) {
  MutexLock lock(mu_);
  const std::string& id = session->instance_id();
  sessions_[id] = std::move(session);
}

SessionTable::Session SessionTable::Find(absl::string_view instance_id) const {
  MutexLock lock(mu_);
  const auto it = sessions_.find(instance_id);
  return it == sessions_.end() ? nullptr : it->second;
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
  for (const auto& [id, session] : sessions_) {
    if (session != nullptr) all.push_back(session);
  }
  return all;
}

}  // namespace berth::agent
