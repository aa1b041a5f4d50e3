#include "broker/registry/registry.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"

namespace berth::broker {
namespace {

// Shortest prefix of an instance id that names a session.
constexpr size_t kMinPrefix = 4;

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

// How people would say which session is meant.
std::string Describe(const v1::SessionRef& ref) {
  switch (ref.ref_case()) {
    case v1::SessionRef::kId:
      return absl::StrCat("session '", ref.id(), "'");
    case v1::SessionRef::kInstanceId:
      return absl::StrCat("session with instance id '", ref.instance_id(), "'");
    default:
      return absl::StrCat("session '", ref.name(), "'");
  }
}

absl::Status CheckRef(const v1::SessionRef& ref) {
  if (ref.ref_case() == v1::SessionRef::REF_NOT_SET) {
    return absl::InvalidArgumentError(
        "the request names no session: set id, name or instance_id");
  }
  if (ref.ref_case() == v1::SessionRef::kInstanceId &&
      ref.instance_id().size() < kMinPrefix) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the instance id '", ref.instance_id(),
        "' is too short: give at least ", kMinPrefix, " characters of it"));
  }
  return absl::OkStatus();
}

absl::Status Ambiguous(const v1::SessionRef& ref,
                       const std::vector<SessionRecord>& matches) {
  std::vector<std::string> which;
  const bool by_id = ref.ref_case() == v1::SessionRef::kId;
  for (const SessionRecord& match : matches) {
    which.push_back(
        by_id ? absl::StrCat(match->instance_id(), " on ", match->computer())
              : absl::StrCat(match->id()));
    if (which.size() == 10 && matches.size() > 10) {
      which.push_back("...");
      break;
    }
  }
  if (ref.ref_case() == v1::SessionRef::kName) {
    return absl::FailedPreconditionError(
        absl::StrCat("name '", ref.name(), "' fits ", matches.size(),
                     " sessions: ", absl::StrJoin(which, ", "), "; use an id"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(Describe(ref), " is one of ", matches.size(), ": ",
                   absl::StrJoin(which, ", "),
                   by_id ? "; use an instance id" : "; use an id"));
}

absl::Status CheckAllows(absl::string_view computer,
                         const v1::Configuration& info,
                         const v1::CreateSessionRequest& request) {
  const std::string what =
      absl::StrCat("configuration '", info.name(), "' on '", computer, "'");
  if (!info.enabled()) {
    return absl::FailedPreconditionError(absl::StrCat(
        what, " is disabled",
        info.problem().empty()
            ? absl::StrCat("; there: berth-agent configuration enable ",
                           info.name())
            : absl::StrCat(": ", info.problem())));
  }
  if (request.never_idles()) {
    if (info.may_never_idle()) return absl::OkStatus();
    return absl::PermissionDeniedError(absl::StrCat(
        "sessions of ", what, " must have an idle timeout; at most ",
        absl::FormatDuration(FromProto(info.max_idle_timeout()))));
  }
  const absl::Duration max = FromProto(info.max_idle_timeout());
  const absl::Duration given = FromProto(request.idle_timeout());
  if (info.has_max_idle_timeout() && given > max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the idle timeout ", absl::FormatDuration(given),
        " is above the maximum of ", what, ", ", absl::FormatDuration(max)));
  }
  return absl::OkStatus();
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

void Registry::SetConfigurations(
    const google::protobuf::RepeatedPtrField<v1::Configuration>& all,
    ComputerEntry& entry) {
  entry.configurations.clear();
  entry.record.configurations.clear();
  for (const v1::Configuration& each : all) {
    v1::Configuration& configuration = entry.configurations[each.name()];
    configuration = each;
    configuration.set_computer(entry.record.name);
    entry.record.configurations[each.name()] =
        configuration.SerializeAsString();
  }
}

void Registry::SetConfigurations(
    absl::string_view computer,
    const google::protobuf::RepeatedPtrField<v1::Configuration>& all,
    ComputerRecord* record) {
  MutexLock lock(mu_);
  ComputerEntry& entry = ComputerLocked(computer);
  SetConfigurations(all, entry);
  *record = entry.record;
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

std::vector<SessionRecord> Registry::MatchesLocked(
    absl::string_view owner, const v1::SessionRef& ref) const {
  std::vector<SessionRecord> matches;
  auto found = owners_.find(owner);
  if (found == owners_.end()) return matches;
  const auto& sessions = found->second.sessions;
  const auto add = [&](const SessionRecord& session) {
    if (ref.computer().empty() ||
        absl::EqualsIgnoreCase(ref.computer(), session->computer())) {
      matches.push_back(session);
    }
  };
  if (ref.ref_case() == v1::SessionRef::kId) {
    for (auto it = sessions.lower_bound(IdKey(ref.id(), ""));
         it != sessions.end() && it->first.first == ref.id(); ++it) {
      add(it->second);
    }
    return matches;
  }
  if (ref.ref_case() == v1::SessionRef::kInstanceId) {
    const std::string id = absl::AsciiStrToLower(ref.instance_id());
    if (IsUuid(id)) {
      auto session = sessions_.find(id);
      if (session != sessions_.end() && session->second->owner() == owner) {
        add(session->second);
      }
      return matches;
    }
    for (const auto& [key, session] : sessions) {
      if (absl::StartsWith(session->instance_id(), id)) add(session);
    }
    return matches;
  }
  for (const auto& [key, session] : sessions) {
    if (absl::EqualsIgnoreCase(session->name(), ref.name())) add(session);
  }
  return matches;
}

absl::StatusOr<SessionRecord> Registry::Resolve(
    absl::string_view owner, const v1::SessionRef& ref) const {
  BERTH_RETURN_IF_ERROR(CheckRef(ref));
  MutexLock lock(mu_);
  std::vector<SessionRecord> matches = MatchesLocked(owner, ref);
  if (matches.empty()) {
    const std::string on = ref.computer().empty()
                               ? ""
                               : absl::StrCat(" on '", ref.computer(), "'");
    return absl::NotFoundError(
        absl::StrCat("no ", Describe(ref), on, "; see `berth ls`"));
  }
  if (matches.size() > 1) return Ambiguous(ref, matches);
  return matches.front();
}

SessionRecord Registry::Find(absl::string_view instance_id) const {
  MutexLock lock(mu_);
  auto found = sessions_.find(instance_id);
  return found == sessions_.end() ? nullptr : found->second;
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
  return absl::NotFoundError(absl::StrCat("no computer '",
                                          EscapeForTerminal(name.substr(0, 80)),
                                          "'; see `berth computers`"));
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

absl::Status Registry::CheckConfiguration(
    absl::string_view computer, const v1::CreateSessionRequest& request) const {
  MutexLock lock(mu_);
  auto found = computers_.find(computer);
  if (found == computers_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no computer '", computer, "'; see `berth computers`"));
  }
  const std::string& name = request.configuration();
  std::vector<std::string> names;
  for (const auto& [key, info] : found->second.configurations) {
    names.push_back(key);
    if (name.empty() ? info.is_default() : key == name) {
      return CheckAllows(computer, info, request);
    }
  }
  // Without a default that it told of, the agent decides.
  if (name.empty()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(
      "computer '", computer, "' has no configuration '",
      EscapeForTerminal(name.substr(0, 80)),
      "'; it has: ", names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

std::vector<v1::Configuration> Registry::Configurations() const {
  MutexLock lock(mu_);
  std::vector<v1::Configuration> all;
  for (const auto& [computer, entry] : computers_) {
    for (const auto& [name, info] : entry.configurations) all.push_back(info);
  }
  return all;
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
    computer.set_sessions(entry.sessions.size());
    for (const auto& [key, info] : entry.configurations) {
      if (info.enabled()) computer.add_configurations(key);
    }
  }
  return all;
}

}  // namespace berth::broker
