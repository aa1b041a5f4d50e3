#include "broker/services/fleet.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/end_reason.h"
#include "base/escape.h"
#include "base/foreign_client.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/ca/join_token.h"
#include "broker/services/audit_session.h"

namespace berth::broker {
namespace {

// What a broker that dies may not have written yet, at the most.
constexpr absl::Duration kLastWrites = absl::Seconds(5);

// Whose client holds a session.
Presence::Client HolderOf(const v1::Session& session) {
  return UserAndClient(session.owner(), session.holder().client().id());
}

// "12:01:05", with the date if that was not within the last day.
std::string SinceText(absl::Time time) {
  const bool today = absl::Now() - time < absl::Hours(24);
  return absl::FormatTime(today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", time,
                          absl::LocalTimeZone());
}

constexpr UserDirectory::Kind kKinds[] = {UserDirectory::Kind::kUser,
                                          UserDirectory::Kind::kCertificate,
                                          UserDirectory::Kind::kCutoff};

// What the store calls it.
absl::string_view KindName(UserDirectory::Kind kind) {
  switch (kind) {
    case UserDirectory::Kind::kUser:
      return "user";
    case UserDirectory::Kind::kCertificate:
      return "certificate";
    case UserDirectory::Kind::kCutoff:
      return "cutoff";
  }
  return "";
}

// How long a timer may rely on the wall clock.
constexpr absl::Duration kLookAgain = absl::Minutes(1);

constexpr absl::string_view kApproval = "approval";
constexpr absl::string_view kUserToken = "user-token";

using Records = std::map<std::string, std::string>;

}  // namespace

Fleet::Fleet(std::unique_ptr<Store> store, absl::Duration hold_grace,
             const Admission::Limits& limits,
             const std::vector<std::string>& admins,
             const PolicyCopy& policy_copy)
    : admission_(limits),
      approvals_([this](const std::string& id, std::string bytes) {
        store_.Do([id, bytes = std::move(bytes)](Store& store) {
          return bytes.empty() ? store.DeleteRecord(kApproval, id)
                               : store.PutRecord(kApproval, id, bytes);
        });
      }),
      access_(registry_, approvals_, store_, policy_copy, admins),
      agents_(registry_),
      store_(std::move(store)),
      presence_(timer_, hold_grace,
                [this](const Presence::Client& client) { LetGo(client); }),
      feed_(timer_),
      users_([this](UserDirectory::Kind kind, const std::string& key,
                    std::string bytes) {
        store_.Do([kind, key, bytes = std::move(bytes)](Store& store) {
          return bytes.empty() ? store.DeleteRecord(KindName(kind), key)
                               : store.PutRecord(KindName(kind), key, bytes);
        });
      }),
      user_tokens_([this](const std::string& key, std::string bytes) {
        store_.Do([key, bytes = std::move(bytes)](Store& store) {
          return bytes.empty() ? store.DeleteRecord(kUserToken, key)
                               : store.PutRecord(kUserToken, key, bytes);
        });
      }),
      calls_(timer_,
             [this](const CertificateInfo& certificate) {
               return users_.Check(certificate, absl::Now());
             }),
      moderation_(
          timer_,
          [this](const std::string& user, const v1::Session& session,
                 Verb verb) {
            return access_.ModeratingRole(user, session, verb);
          },
          [this](const Moderation::Event& event) { AuditModeration(event); }) {
  access_.book().OnChange([this] { OnApproval(); });
  timer_.After(Presence::kStartGrace, [this] {
    settled_ = true;
    LetGoOfAbsent(registry_.HeldSessions());
  });
}

absl::StatusOr<std::unique_ptr<Fleet>> Fleet::Open(
    std::unique_ptr<Store> store, absl::Duration hold_grace,
    const Admission::Limits& limits, const std::vector<std::string>& admins,
    const PolicyCopy& policy_copy) {
  BERTH_ASSIGN_OR_RETURN(auto computers, store->ListComputers());
  BERTH_ASSIGN_OR_RETURN(const auto sessions, store->ListSessions());
  BERTH_ASSIGN_OR_RETURN(const auto next_ids, store->ListNextIds());
  BERTH_ASSIGN_OR_RETURN(auto notices, store->ListNotices());
  std::map<UserDirectory::Kind, Records> directory;
  for (const UserDirectory::Kind kind : kKinds) {
    BERTH_ASSIGN_OR_RETURN(directory[kind], store->ListRecords(KindName(kind)));
  }
  BERTH_ASSIGN_OR_RETURN(const Records approvals,
                         store->ListRecords(kApproval));
  BERTH_ASSIGN_OR_RETURN(const Records user_tokens,
                         store->ListRecords(kUserToken));
  const absl::Time now = absl::Now();
  // On a full disk the next start does it.
  const absl::Status forgotten =
      store->DeleteTokensExpiredBefore(now - kTokenMemory);
  if (!forgotten.ok()) SPDLOG_WARN("{}", forgotten.ToString());
  // Links that were up when the last broker died: nobody knows until when.
  // From now on they are down.
  for (ComputerRecord& computer : computers) {
    if (std::exchange(computer.linked, false)) computer.last_seen = now;
  }
  BERTH_ASSIGN_OR_RETURN(const PolicyBook::Latest latest,
                         PolicyBook::ReadLatest(*store, policy_copy));
  auto fleet = std::unique_ptr<Fleet>(
      new Fleet(std::move(store), hold_grace, limits, admins, policy_copy));
  fleet->SetNotices(std::move(notices));
  fleet->access_.book().Begin(latest);
  if (!latest.problem.empty()) fleet->AddNotice(latest.problem);
  for (const auto& [kind, records] : directory) {
    for (const auto& [key, bytes] : records) {
      BERTH_RETURN_IF_ERROR(fleet->users_.Load(kind, key, bytes));
    }
  }
  fleet->users_.Forget(now);
  for (const auto& [digest, bytes] : user_tokens) {
    BERTH_RETURN_IF_ERROR(fleet->user_tokens_.Load(digest, bytes));
  }
  for (const auto& [id, bytes] : approvals) {
    BERTH_RETURN_IF_ERROR(fleet->approvals_.Load(id, bytes));
  }
  fleet->registry_.Load(computers, sessions, next_ids);
  fleet->OnApproval();
  return fleet;
}

void Fleet::Save(Registry::Changes changes) {
  feed_.Touch(changes.touched);
  if (changes.put.empty() && changes.deleted.empty()) return;
  store_.Do([changes = std::move(changes)](Store& store) -> absl::Status {
    for (const SessionRecord& session : changes.put) {
      BERTH_RETURN_IF_ERROR(store.PutSession(*session));
      BERTH_RETURN_IF_ERROR(
          store.RaiseNextId(session->owner(), session->id() + 1));
    }
    for (const std::string& id : changes.deleted) {
      BERTH_RETURN_IF_ERROR(store.DeleteSession(id));
    }
    return absl::OkStatus();
  });
}

void Fleet::SetNotices(std::vector<NoticeRecord> notices) {
  MutexLock lock(mu_);
  notices_ = std::move(notices);
}

void Fleet::AddNotice(const std::string& text) {
  SPDLOG_WARN("{}", EscapeForTerminal(text));
  NoticeRecord notice{absl::Now(), text};
  store_.Do([notice](Store& store) { return store.AddNotice(notice); });
  MutexLock lock(mu_);
  notices_.push_back(std::move(notice));
  if (notices_.size() > Store::kMaxNotices) notices_.erase(notices_.begin());
}

std::vector<NoticeRecord> Fleet::Notices() const {
  MutexLock lock(mu_);
  return notices_;
}

void Fleet::Save(ComputerRecord computer) {
  store_.Do([computer = std::move(computer)](Store& store) {
    return store.PutComputer(computer);
  });
}

absl::StatusOr<std::shared_ptr<AgentConnection>> Fleet::LinkTo(
    absl::string_view computer) const {
  if (auto connection = agents_.Find(computer)) return connection;
  BERTH_ASSIGN_OR_RETURN(const Reachability reach,
                         registry_.GetReachability(computer));
  return absl::UnavailableError(
      absl::StrCat("computer '", computer, "' is offline since ",
                   SinceText(reach.since), "; see `berth computers`"));
}

absl::Status Fleet::Put(const AgentConnection& connection,
                        const v1::Session& session) {
  const SessionRecord before = registry_.Find(session.instance_id());
  BERTH_ASSIGN_OR_RETURN(Registry::Changes changes,
                         agents_.Put(connection, session));
  Save(std::move(changes));
  AuditChange(before, session);
  return absl::OkStatus();
}

void Fleet::AuditModeration(const Moderation::Event& told) {
  AuditEvent event;
  event.verb = told.verb;
  event.outcome = "done";
  event.user = told.user;
  event.reason = told.reason;
  SetSession(*told.session, event);
  audit().Record(std::move(event));
}

void Fleet::AuditChange(const SessionRecord& before, const v1::Session& now) {
  const bool began = before == nullptr && !now.has_end();
  const bool ended = now.has_end() && (before == nullptr || !before->has_end());
  if (!began && !ended) return;
  AuditEvent event;
  event.verb = began ? "session.started" : "session.ended";
  event.outcome = "done";
  SetSession(now, event);
  if (ended) event.reason = std::string(EndReasonText(now.end().reason()));
  audit().Record(std::move(event));
}

void Fleet::Remove(const AgentConnection& connection,
                   absl::string_view instance_id) {
  Save(agents_.RemoveSession(connection, instance_id));
}

void Fleet::SetConfigurations(const AgentConnection& connection,
                              const link::v1::ConfigurationsChanged& changed) {
  std::optional<ComputerRecord> record =
      agents_.SetConfigurations(connection, changed);
  if (record.has_value()) Save(*std::move(record));
}

void Fleet::LinkUp(const std::shared_ptr<AgentConnection>& connection,
                   const link::v1::Hello& hello) {
  ComputerRecord record;
  absl::flat_hash_set<std::string> lived;
  for (const SessionRecord& session :
       registry_.SessionsOn(connection->computer())) {
    if (!session->has_end()) lived.insert(session->instance_id());
  }
  Registry::Changes changes = agents_.Add(connection, hello, &record);
  std::vector<SessionRecord> ended;
  for (const SessionRecord& session : changes.put) {
    if (session->has_end() && lived.contains(session->instance_id())) {
      ended.push_back(session);
    }
  }
  TellOfDifference(connection->computer(), changes);
  Save(std::move(record));
  Save(std::move(changes));
  // What did not change either: it can be reached again.
  const auto sessions = registry_.SessionsOn(connection->computer());
  feed_.Touch(sessions);
  // What ended while the link was down is told by its inventory.
  for (const SessionRecord& session : ended) AuditChange(nullptr, *session);
  LetGoOfAbsent(sessions);
}

void Fleet::TellOfDifference(const std::string& computer,
                             const Registry::Changes& changes) {
  if (!changes.learned.empty()) {
    SPDLOG_WARN("agent '{}' told of {} sessions that the registry did not know",
                computer, changes.learned.size());
  }
  if (!changes.deleted.empty()) {
    SPDLOG_WARN("agent '{}' has no more {} sessions that the registry knew",
                computer, changes.deleted.size());
  }
  // One that was begun anew says so itself; and once is enough.
  if (registry_is_new_) return;
  const auto old = std::count_if(changes.learned.begin(), changes.learned.end(),
                                 [this](const SessionRecord& session) {
                                   return FromProto(session->created_at()) <
                                          started_at_ - kLastWrites;
                                 });
  if (old == 0 || told_of_age_.exchange(true)) return;
  AddNotice(absl::StrCat(
      "the registry is older than what agents tell of: '", computer, "' has ",
      old,
      " sessions that it did not know. Was it restored, or did its disk fail? "
      "What agents tell is taken over as they connect; not known are join "
      "tokens of that time, the labels of computers that joined in it (join "
      "them again), and which session ids were used in it"));
}

void Fleet::LinkDown(const AgentConnection& connection) {
  std::optional<ComputerRecord> record = agents_.Remove(connection);
  if (!record.has_value()) return;
  Save(*std::move(record));
  feed_.Touch(registry_.SessionsOn(connection.computer()));
}

void Fleet::NoteHolder(const v1::Session& session, const std::string& user) {
  if (session.owner() == user) return;
  MutexLock lock(mu_);
  guests_.insert(user);
}

void Fleet::LetGo(const Presence::Client& client) {
  bool is_guest;
  {
    MutexLock lock(mu_);
    is_guest = guests_.contains(client.first);
  }
  // Few users hold sessions of others: only for them all are looked through.
  for (const SessionRecord& session :
       is_guest ? registry_.HeldSessions()
                : registry_.SessionsOf(client.first)) {
    if (session->has_holder() && !session->has_end() &&
        HolderOf(*session) == client) {
      LetGo(*session);
    }
  }
}

void Fleet::OnApproval() {
  const auto ended =
      approvals_.Tidy(access_.CurrentPolicy().version, absl::Now());
  for (const v1::Approval& approval : ended) {
    AuditEvent event;
    event.verb = "approval.end";
    event.outcome = "done";
    event.user = approval.user();
    event.detail =
        absl::StrCat("id=", approval.id(), " role=", approval.role(),
                     " state=", v1::ApprovalState_Name(approval.state()));
    if (audit_ != nullptr) audit_->Record(std::move(event));
  }
  // Also of those that were taken back.
  EndWhatIsNotGranted();
  const absl::Time next = approvals_.NextEnd();
  MutexLock lock(mu_);
  timer_.Cancel(std::exchange(approvals_due_, 0));
  if (next == absl::InfiniteFuture()) return;
  // The wall clock may be set meanwhile: it is looked at again.
  const absl::Duration left =
      std::clamp(next - absl::Now(), absl::Milliseconds(10), kLookAgain);
  approvals_due_ = timer_.After(left, [this] { OnApproval(); });
}

void Fleet::EndWhatIsNotGranted() {
  access_.grants().Recheck(
      [this](const std::string& user) { return access_.ViewerFor(user); });
  moderation_.Recheck();
  for (const SessionRecord& session : registry_.HeldSessions()) {
    const std::string user = HolderOf(*session).first;
    if (user == session->owner()) continue;
    Viewer viewer = access_.ViewerFor(user);
    // Who runs or types there holds it meanwhile.
    if (!viewer.May(*session, Verb::kTake) &&
        !viewer.May(*session, Verb::kRun) &&
        !viewer.May(*session, Verb::kEnter) &&
        !viewer.May(*session, Verb::kCopy)) {
      LetGo(*session);
    }
  }
}

void Fleet::LetGoOfAbsent(const std::vector<SessionRecord>& sessions) {
  if (!settled_) return;  // The timer comes back to it.
  for (const SessionRecord& session : sessions) {
    if (!session->has_holder() || session->has_end()) continue;
    if (presence_.IsAbsent(HolderOf(*session))) LetGo(*session);
  }
}

void Fleet::LetGo(const v1::Session& session) {
  auto connection = agents_.Find(session.computer());
  if (connection == nullptr) return;  // At its link-up, then.
  link::v1::Request request;
  request.set_user(session.owner());
  auto& set_holder = *request.mutable_set_holder();
  set_holder.set_instance_id(session.instance_id());
  set_holder.set_expected_client_id(session.holder().client().id());
  connection->Ask(
      std::move(request), AgentConnection::kRequestTimeout,
      [this, connection,
       id = session.instance_id()](absl::StatusOr<link::v1::Reply> reply) {
        // Refused: somebody else holds it now, or nobody.
        if (!reply.ok()) {
          SPDLOG_DEBUG("{} keeps the holder of {}: {}", connection->computer(),
                       id, reply.status().ToString());
        } else if (reply->has_session()) {
          Put(*connection, reply->session().session()).IgnoreError();
        }
      });
}

}  // namespace berth::broker
