#include "broker/services/session_feed.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/proto_time.h"
#include "base/session_events.h"

namespace berth::broker {

absl::Status SessionFeed::Add(const std::string& user, Watcher* watcher,
                              const std::optional<std::string>& owner) {
  MutexLock lock(mu_);
  std::vector<Place>& places = places_[user];
  if (places.size() >= kMaxWatchers) {
    return absl::ResourceExhaustedError(
        absl::StrCat("user '", user, "' has ", places.size(), " of ",
                     kMaxWatchers, " watchers; end some first"));
  }
  places.push_back({watcher, owner});
  (owner.has_value() ? watchers_[*owner] : of_all_).push_back(watcher);
  return absl::OkStatus();
}

void SessionFeed::Remove(const std::string& user, Watcher* watcher) {
  MutexLock lock(mu_);
  const auto found = places_.find(user);
  if (found == places_.end()) return;
  std::vector<Place>& places = found->second;
  const auto mine = [&](const Place& place) {
    return place.watcher == watcher;
  };
  for (const Place& place : places) {
    if (!mine(place)) continue;
    std::vector<Watcher*>& told =
        place.owner.has_value() ? watchers_[*place.owner] : of_all_;
    told.erase(std::remove(told.begin(), told.end(), watcher), told.end());
    if (told.empty() && place.owner.has_value()) watchers_.erase(*place.owner);
  }
  places.erase(std::remove_if(places.begin(), places.end(), mine),
               places.end());
  if (places.empty()) places_.erase(found);
}

void SessionFeed::Touch(const std::vector<SessionRecord>& sessions) {
  if (sessions.empty()) return;
  MutexLock lock(mu_);
  if (watchers_.empty() && of_all_.empty()) return;
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
      (!watchers_.contains(session.owner()) && of_all_.empty())) {
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
  for (Watcher* watcher : of_all_) watcher->Touch(instance_id);
  auto found = watchers_.find(owner);
  if (found == watchers_.end()) return;
  for (Watcher* watcher : found->second) watcher->Touch(instance_id);
}

}  // namespace berth::broker
