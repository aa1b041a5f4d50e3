#ifndef BERTH_BROKER_SERVICES_FLEET_H_
#define BERTH_BROKER_SERVICES_FLEET_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/access/access.h"
#include "broker/access/moderation.h"
#include "broker/approvals/approval_book.h"
#include "broker/audit/audit_log.h"
#include "broker/registry/records.h"
#include "broker/registry/registry.h"
#include "broker/registry/store.h"
#include "broker/registry/store_thread.h"
#include "broker/relay/agents.h"
#include "broker/services/admission.h"
#include "broker/services/presence.h"
#include "broker/services/session_feed.h"
#include "broker/services/stream_limiter.h"
#include "broker/timer.h"
#include "broker/users/open_calls.h"
#include "broker/users/user_directory.h"
#include "broker/users/user_tokens.h"

namespace berth::broker {

// Fleet is what all services share: what is known of computers and sessions,
// the links to agents, and who is present; and the few things that need all
// three. Thread-safe; knows nothing of gRPC.
class Fleet {
 public:
  // Starts with what `store` has kept. `admins` are administrators whatever the
  // policy says. Fails as the store does.
  static absl::StatusOr<std::unique_ptr<Fleet>> Open(
      std::unique_ptr<Store> store, absl::Duration hold_grace,
      const Admission::Limits& limits, const std::vector<std::string>& admins,
      const PolicyCopy& policy_copy);

  Registry& registry() { return registry_; }
  Agents& agents() { return agents_; }
  StoreThread& store() { return store_; }
  Presence& presence() { return presence_; }
  Timer& timer() { return timer_; }
  StreamLimiter& streams() { return streams_; }
  SessionFeed& feed() { return feed_; }
  Admission& admission() { return admission_; }
  Access& access() { return access_; }
  ApprovalBook& approvals() { return approvals_; }
  Moderation& moderation() { return moderation_; }
  UserDirectory& users() { return users_; }
  UserTokens& user_tokens() { return user_tokens_; }
  OpenCalls& calls() { return calls_; }

  // Where events go. To be set before anything else is done with the fleet,
  // which it must outlive.
  void SetAudit(AuditLog& audit) { audit_ = &audit; }
  AuditLog& audit() { return *audit_; }

  // What this broker could not know, for operators: logged, kept in the store,
  // and shown by Admin.GetBrokerStatus. Oldest first.
  void AddNotice(const std::string& text) ABSL_LOCKS_EXCLUDED(mu_);
  std::vector<NoticeRecord> Notices() const ABSL_LOCKS_EXCLUDED(mu_);
  // The registry was begun by this broker, instead of one that was lost. To be
  // said before agents connect.
  void SetRegistryIsNew() { registry_is_new_ = true; }
  // When it was opened.
  absl::Time started_at() const { return started_at_; }

  // Something became of an approval: ends what is granted no more, and sees to
  // it that this is done again when another has had its time.
  void OnApproval() ABSL_LOCKS_EXCLUDED(mu_);

  // Keeps what changed in the registry, and tells watchers of it.
  void Save(Registry::Changes changes);
  void Save(ComputerRecord computer);

  // The link to a computer. NotFound; Unavailable says since when it is
  // offline.
  absl::StatusOr<std::shared_ptr<AgentConnection>> LinkTo(
      absl::string_view computer) const;

  // `user` is about to hold a session, which may be another's.
  void NoteHolder(const v1::Session& session, const std::string& user)
      ABSL_LOCKS_EXCLUDED(mu_);

  // What the agent of `connection` said of a session.
  absl::Status Put(const AgentConnection& connection,
                   const v1::Session& session);
  void Remove(const AgentConnection& connection, absl::string_view instance_id);

  // The agent said which configurations there are now.
  void SetConfigurations(const AgentConnection& connection,
                         const link::v1::ConfigurationsChanged& changed);

  // The agent said hello: from now on its computer is online.
  void LinkUp(const std::shared_ptr<AgentConnection>& connection,
              const link::v1::Hello& hello);
  // The link is lost. Harmless if it was replaced.
  void LinkDown(const AgentConnection& connection);

 private:
  Fleet(std::unique_ptr<Store> store, absl::Duration hold_grace,
        const Admission::Limits& limits, const std::vector<std::string>& admins,
        const PolicyCopy& policy_copy);

  void SetNotices(std::vector<NoticeRecord> notices) ABSL_LOCKS_EXCLUDED(mu_);
  // Tells the audit log who watches, and whose work was ended for want of it.
  void AuditModeration(const Moderation::Event& event);
  // Tells the audit log that a session began or ended since `before`, if so.
  void AuditChange(const SessionRecord& before, const v1::Session& now);
  // Says how the inventory of a computer differs from what was known.
  void TellOfDifference(const std::string& computer,
                        const Registry::Changes& changes)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Lets go of what `client` holds: it has been away for too long.
  void LetGo(const Presence::Client& client) ABSL_LOCKS_EXCLUDED(mu_);
  // Ends what is granted no more.
  void EndWhatIsNotGranted();
  // Lets go of those of `sessions` that absent clients hold.
  void LetGoOfAbsent(const std::vector<SessionRecord>& sessions);
  void LetGo(const v1::Session& session);

  AuditLog* audit_ = nullptr;
  // Whether holders that have not come back since the start count as absent.
  std::atomic<bool> settled_ = false;
  const absl::Time started_at_ = absl::Now();
  std::atomic<bool> registry_is_new_ = false;
  std::atomic<bool> told_of_age_ = false;
  mutable Mutex mu_;
  std::vector<NoticeRecord> notices_ ABSL_GUARDED_BY(mu_);
  // Users that may have held sessions of others since the start.
  absl::flat_hash_set<std::string> guests_ ABSL_GUARDED_BY(mu_);
  Timer::Id approvals_due_ ABSL_GUARDED_BY(mu_) = 0;
  StreamLimiter streams_;
  Admission admission_;
  Registry registry_;
  ApprovalBook approvals_;
  Access access_;
  Agents agents_;
  StoreThread store_;
  Presence presence_;
  SessionFeed feed_;
  UserDirectory users_;
  UserTokens user_tokens_;
  OpenCalls calls_;
  Moderation moderation_;
  Timer timer_;  // Last: nothing that it runs may outlive the others.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_FLEET_H_
