#include "broker/services/session_watch.h"

#include <algorithm>
#include <utility>

#include "base/names.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/services/session_query.h"

namespace berth::broker {

absl::StatusOr<SessionWatch> SessionWatch::Begin(
    Viewer viewer, const v1::WatchSessionsRequest& request) {
  SessionWatch watch(request.client().id());
  v1::ListSessionsRequest list;
  list.set_owner(request.owner());
  list.set_all_owners(request.all_owners());
  if (!request.all_owners()) {
    watch.owner_ = request.owner().empty() ? viewer.user() : request.owner();
  }
  *list.mutable_selectors() = request.selectors();
  *list.mutable_computers() = request.computers();
  BERTH_ASSIGN_OR_RETURN(const SessionQueryResult found,
                         QuerySessions(std::move(viewer), list));
  BERTH_RETURN_IF_ERROR(found.status);
  for (const std::string& text : request.selectors()) {
    BERTH_ASSIGN_OR_RETURN(watch.selectors_.emplace_back(),
                           ParseSelector(text));
  }
  watch.computers_.assign(request.computers().begin(),
                          request.computers().end());
  for (const v1::Session& session : found.sessions) {
    watch.initial_.push_back(session.instance_id());
  }
  return watch;
}

void SessionWatch::Touch(const std::string& instance_id, absl::Time now) {
  if (touched_at_.insert_or_assign(instance_id, now).second) {
    touched_.push_back(instance_id);
  }
}

std::optional<v1::WatchSessionsResponse> SessionWatch::Next(
    const std::function<Viewer()>& viewer, absl::Time now) {
  while (events_.empty()) {
    if (!initial_.empty()) {
      const std::string id = std::move(initial_.front());
      initial_.pop_front();
      Derive(viewer(), id, /*known=*/true, now, now);
    } else if (!synced_) {
      synced_ = true;
      events_.emplace_back().set_synced(true);
    } else if (!touched_.empty()) {
      const std::string id = std::move(touched_.front());
      touched_.pop_front();
      const absl::Time at = touched_at_[id];
      touched_at_.erase(id);
      Derive(viewer(), id, /*known=*/false, at, now);
    } else {
      return std::nullopt;
    }
  }
  v1::WatchSessionsResponse next = std::move(events_.front());
  events_.pop_front();
  return next;
}

void SessionWatch::Derive(Viewer viewer, const std::string& instance_id,
                          bool known, absl::Time at, absl::Time now) {
  const auto told = told_.find(instance_id);
  const SessionMoment before =
      told == told_.end() ? SessionMoment() : told->second;
  SessionMoment after = Look(viewer, instance_id, now);
  if (before.record == nullptr &&
      (after.record == nullptr || !Matches(*after.record))) {
    return;
  }
  std::vector<v1::SessionEvent::Kind> kinds = EventsBetween(before, after);
  if (known) {
    const bool warn = after.expiring;
    kinds = {v1::SessionEvent::KNOWN};
    if (warn) kinds.push_back(v1::SessionEvent::IDLE_WARNING);
  }
  const v1::Session& last =
      after.record != nullptr ? *after.record : *before.record;
  const v1::Session view =
      viewer.registry().View(viewer.ClientIdIn(last, client_id_), last);
  for (const v1::SessionEvent::Kind kind : kinds) {
    v1::SessionEvent& event = *events_.emplace_back().mutable_event();
    event.set_kind(kind);
    *event.mutable_at() = ToProto(at);
    *event.mutable_session() = view;
  }
  if (after.record == nullptr) {
    told_.erase(instance_id);
  } else {
    told_.insert_or_assign(instance_id, std::move(after));
  }
}

SessionMoment SessionWatch::Look(Viewer& viewer, const std::string& instance_id,
                                 absl::Time now) const {
  SessionMoment moment;
  moment.record = viewer.registry().Find(instance_id);
  if (moment.record == nullptr || moment.record->temporary() ||
      moment.record->owner() != owner_.value_or(moment.record->owner()) ||
      !viewer.May(*moment.record, Verb::kList)) {
    return {};
  }
  const auto reach =
      viewer.registry().GetReachability(moment.record->computer());
  moment.online = reach.ok() && reach->online;
  moment.expiring =
      moment.record->has_expires_at() && !moment.record->has_end() &&
      FromProto(moment.record->expires_at()) - kIdleWarning <= now;
  return moment;
}

bool SessionWatch::Matches(const v1::Session& session) const {
  const bool on_computer =
      computers_.empty() ||
      std::any_of(computers_.begin(), computers_.end(),
                  [&](const std::string& pattern) {
                    return MatchesWildcard(pattern, session.computer());
                  });
  return on_computer &&
         (selectors_.empty() ||
          std::any_of(selectors_.begin(), selectors_.end(),
                      [&](const Selector& selector) {
                        return selector.Matches(session.id(), session.name(),
                                                session.instance_id());
                      }));
}

}  // namespace berth::broker
