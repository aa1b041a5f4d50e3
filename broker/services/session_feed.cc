#include "broker/services/session_feed.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/proto_time.h"
#include "base/session_events.h"

namespace berth::broker {

absl::Status SessionFeed::Add(const std::string& owner, Watcher* watcher) {
  MutexLock lock(mu_);
  std::vector<Watcher*>& watchers = watchers_[owner];
  if (watchers.size() >= kMaxWatchers) {
    return absl::ResourceExhaustedError(
        absl::StrCat("user '", owner, "' has ", watchers.size(), " of ",
                     kMaxWatchers, " watchers; end some first"));
  }
  watchers.push_back(watcher);
  return absl::OkStatus();
}

void SessionFeed::Remove(const std::string& owner, Watcher* watcher) {
  MutexLock lock(mu_);
  auto found = watchers_.find(owner);
  if (found == watchers_.end()) return;
  std::vector<Watcher*>& watchers = found->second;
  watchers.erase(std::remove(watchers.begin(), watchers.end(), watcher),
                 watchers.end());
  if (watchers.empty()) watchers_.erase(found);
}

void SessionFeed::Touch(const std::vector<SessionRecord>& sessions) {
  if (sessions.empty()) return;
  MutexLock lock(mu_);
  if (watchers_.empty()) return;
  for (const SessionRecord& session : sessions) {
    TellLocked(session->owner(), session->instance_id());
    ArmLocked(*session);
  }
}

void SessionFeed::Arm(const v1::Session& session) {
  MutexLock lock(mu_);
  ArmLocked(session);
}

void SessionFeed::ArmLocked(const v1::Session& session) {
  if (!session.has_expires_at() || session.has_end() ||
      !watchers_.contains(session.owner())) {
    return;  // An alarm that rings in vain does no harm.
  }
  const absl::Time at = FromProto(session.expires_at()) - kIdleWarning;
  const absl::Duration delay = at - absl::Now();
  if (delay <= absl::ZeroDuration()) return;  // Seen at once.
  Alarm& alarm = alarms_[session.instance_id()];
  if (alarm.at == at) return;
  timer_.Cancel(alarm.timer);
  alarm.at = at;
  alarm.timer = timer_.After(
      delay, [this, owner = session.owner(), id = session.instance_id(), at] {
        Ring(owner, id, at);
      });
}

void SessionFeed::Ring(const std::string& owner, const std::string& instance_id,
                       absl::Time at) {
  MutexLock lock(mu_);
  auto alarm = alarms_.find(instance_id);
  if (alarm != alarms_.end() && alarm->second.at == at) alarms_.erase(alarm);
  TellLocked(owner, instance_id);
}

void SessionFeed::TellLocked(const std::string& owner,
                             const std::string& instance_id) {
  auto found = watchers_.find(owner);
  if (found == watchers_.end()) return;
  for (Watcher* watcher : found->second) watcher->Touch(instance_id);
}

}  // namespace berth::broker
