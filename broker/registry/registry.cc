#include "broker/registry/registry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::broker {
namespace {

// Whether the store must hear of the change from `before` to `after`. What a
// session does, and who holds it just now, changes with every command and is
// told again by its agent at link-up; it is not worth a write.
bool IsDurableChange(const v1::Session& before, const v1::Session& after) {
  return before.id() != after.id() || before.name() != after.name() ||
         before.owner() != after.owner() ||
         before.has_end() != after.has_end() ||
         before.temporary() != after.temporary() ||
         before.never_idles() != after.never_idles() ||
         before.buffering() != after.buffering() ||
         before.idle_timeout().seconds() != after.idle_timeout().seconds();
}

}  // namespace

void Registry::Load(const std::vector<ComputerRecord>& computers,
                    const std::vector<v1::Session>& sessions,
                    const std::map<std::string, uint32_t>& next_ids) {
  MutexLock lock(mu_);
  Changes ignored;
  for (const ComputerRecord& record : computers) {
    ComputerEntry& entry = ComputerLocked(record.name);
    entry.record = record;
    entry.reach = {.online = false, .since = record.last_seen};
    for (const auto& [name, bytes] : record.configurations) {
      v1::Configuration configuration;
      // One of a later version is told again by its agent.
      if (configuration.ParseFromString(bytes)) {
        entry.configurations[name] = std::move(configuration);
      }
    }
  }
  for (const v1::Session& session : sessions) {
    PutLocked(session.computer(), session, &ignored).IgnoreError();
  }
  for (const auto& [owner, next] : next_ids) {
    uint32_t& id = owners_[owner].next_id;
    id = std::max(id, next);
  }
}

void Registry::AddComputer(ComputerRecord record) {
  MutexLock lock(mu_);
  ComputerEntry& entry = ComputerLocked(record.name);
  if (entry.reach.since == absl::Time()) entry.reach.since = record.enrolled_at;
  entry.record = std::move(record);
}

Registry::Changes Registry::LinkUp(absl::string_view computer,
                                   const link::v1::Hello& hello, absl::Time now,
                                   ComputerRecord* record) {
  MutexLock lock(mu_);
  Changes changes;
  ComputerEntry& entry = ComputerLocked(computer);
  entry.reach = {.online = true, .since = now};
  entry.heard = true;
  entry.record.linked = true;
  entry.record.agent_version = hello.agent_version();
  entry.record.os = hello.os();
  entry.record.last_seen = now;
  SetConfigurations(hello.configurations(), entry);
  entry.frozen = hello.frozen();
  absl::flat_hash_set<std::string> missing = entry.sessions;
  for (const link::v1::SessionReport& report : hello.sessions()) {
    missing.erase(report.session().instance_id());
    const std::string& id = report.session().instance_id();
    const bool known = sessions_.contains(id);
    PutLocked(computer, report.session(), &changes).IgnoreError();
    if (!known && sessions_.contains(id)) {
      changes.learned.push_back(sessions_[id]);
    }
  }
  for (const std::string& id : missing) RemoveLocked(id, &changes);
  *record = entry.record;
  return changes;
}

ComputerRecord Registry::LinkDown(absl::string_view computer, absl::Time now) {
  MutexLock lock(mu_);
  ComputerEntry& entry = ComputerLocked(computer);
  entry.reach = {.online = false, .since = now};
  entry.record.last_seen = now;
  entry.record.linked = false;
  return entry.record;
}

absl::StatusOr<Registry::Changes> Registry::Put(absl::string_view computer,
                                                v1::Session session) {
  MutexLock lock(mu_);
  Changes changes;
  BERTH_RETURN_IF_ERROR(PutLocked(computer, std::move(session), &changes));
  return changes;
}

absl::Status Registry::PutLocked(absl::string_view computer,
                                 v1::Session session, Changes* changes) {
  if (!IsUuid(session.instance_id()) || session.id() == 0 ||
      session.owner().empty()) {
    return absl::InvalidArgumentError(
        "a session report lacks its instance id, id or owner");
  }
  session.set_computer(std::string(computer));
  SessionRecord before;
  if (auto found = sessions_.find(session.instance_id());
      found != sessions_.end()) {
    before = found->second;
    if (before->computer() != computer) {
      return absl::AlreadyExistsError(
          absl::StrCat("instance id ", session.instance_id(),
                       " belongs to a session on '", before->computer(), "'"));
    }
    if (before->owner() != session.owner() || before->id() != session.id()) {
      owners_[before->owner()].sessions.erase(
          IdKey(before->id(), before->instance_id()));
    }
  }
  auto record = std::make_shared<const v1::Session>(std::move(session));
  Owner& owner = owners_[record->owner()];
  owner.next_id = std::max(owner.next_id, record->id() + 1);
  owner.sessions[IdKey(record->id(), record->instance_id())] = record;
  ComputerLocked(computer).sessions.insert(record->instance_id());
  sessions_[record->instance_id()] = record;
  changes->touched.push_back(record);
  // A temporary one is not worth a write: it ends, or becomes an ordinary one.
  if (!record->temporary() &&
      (before == nullptr || IsDurableChange(*before, *record))) {
    changes->put.push_back(std::move(record));
  }
  return absl::OkStatus();
}

Registry::Changes Registry::Remove(absl::string_view computer,
                                   absl::string_view instance_id) {
  MutexLock lock(mu_);
  Changes changes;
  auto found = sessions_.find(instance_id);
  if (found != sessions_.end() && found->second->computer() == computer) {
    RemoveLocked(std::string(instance_id), &changes);
  }
  return changes;
}

void Registry::RemoveLocked(const std::string& instance_id, Changes* changes) {
  auto found = sessions_.find(instance_id);
  if (found == sessions_.end()) return;
  const SessionRecord record = found->second;
  owners_[record->owner()].sessions.erase(IdKey(record->id(), instance_id));
  ComputerLocked(record->computer()).sessions.erase(instance_id);
  sessions_.erase(found);
  if (!record->temporary()) changes->deleted.push_back(instance_id);
  changes->touched.push_back(record);
}

Registry::ComputerEntry& Registry::ComputerLocked(absl::string_view name) {
  ComputerEntry& entry = computers_[std::string(name)];
  if (entry.record.name.empty()) entry.record.name = std::string(name);
  return entry;
}

uint32_t Registry::TakeNextId(absl::string_view owner) {
  MutexLock lock(mu_);
  return owners_[std::string(owner)].next_id++;
}

}  // namespace berth::broker
