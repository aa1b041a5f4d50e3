#include "broker/access/moderation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/monotonic.h"

namespace berth::broker {
namespace {

// What work is refused or ended with.
std::string NeedsObserver(const v1::Session& session, absl::string_view role) {
  const std::string name =
      absl::StrCat(EscapeForTerminal(session.owner()), "/", session.id());
  return absl::StrCat(
      "session ", name, " on '", EscapeForTerminal(session.computer()),
      "' needs an observer: role '", role,
      "' is moderated, so somebody else has to watch whatever is done in it; "
      "another user with the right 'peek' joins with 'berth enter ",
      name, " --peek'");
}

}  // namespace

bool Moderation::IsObserved(const Room& room, const Work& work) {
  return std::any_of(room.observers.begin(), room.observers.end(),
                     [&](const auto& item) {
                       const Observer& observer = item.second;
                       return observer.here && observer.user != work.user &&
                              observer.user != work.session->owner();
                     });
}

void Moderation::Look(Room& room) {
  for (auto& [id, worker] : room.workers) {
    worker.unobserved_since =
        IsObserved(room, worker.work)
            ? absl::InfiniteFuture()
            : std::min(worker.unobserved_since, MonotonicNow());
  }
}

void Moderation::EraseIfEmpty(const std::string& session) {
  const auto room = rooms_.find(session);
  if (room != rooms_.end() && room->second.workers.empty() &&
      room->second.observers.empty()) {
    rooms_.erase(room);
  }
}

absl::StatusOr<Moderation::Id> Moderation::Begin(Work work) {
  const std::string user = work.user;
  const SessionRecord session = work.session;
  const Verb verb = work.verb;
  Id id = 0;
  bool observed = false;
  {
    MutexLock lock(mu_);
    id = ++last_;
    where_.emplace(id, session->instance_id());
    Room& room = rooms_[session->instance_id()];
    room.workers[id].work = std::move(work);
    Look(room);
    observed = IsObserved(room, room.workers[id].work);
  }
  // A policy that came before this was noted.
  const std::string role = role_of_(user, *session, verb);
  if (role.empty() || observed) return id;
  End(id);
  return absl::FailedPreconditionError(NeedsObserver(*session, role));
}

void Moderation::End(Id id) {
  MutexLock lock(mu_);
  const auto found = where_.find(id);
  if (found == where_.end()) return;
  const std::string session = std::move(found->second);
  where_.erase(found);
  rooms_[session].workers.erase(id);
  EraseIfEmpty(session);
}

Moderation::Id Moderation::Expect(const std::string& user,
                                  SessionRecord session) {
  MutexLock lock(mu_);
  const std::string& name = session->instance_id();
  where_.emplace(++last_, name);
  rooms_[name].observers.emplace(last_, Observer{user, session});
  return last_;
}

void Moderation::Arrive(Id id) {
  Event event{.verb = "observer.joined"};
  {
    MutexLock lock(mu_);
    const auto found = where_.find(id);
    if (found == where_.end()) return;  // Has left meanwhile.
    Room& room = rooms_[found->second];
    Observer& observer = room.observers[id];
    observer.here = true;
    event.user = observer.user;
    event.session = observer.session;
    Look(room);
  }
  tell_(event);
}

void Moderation::Leave(Id id) {
  Event event{.verb = "observer.left"};
  bool pause = false;
  {
    MutexLock lock(mu_);
    const auto found = where_.find(id);
    if (found == where_.end()) return;
    const std::string session = std::move(found->second);
    where_.erase(found);
    Room& room = rooms_[session];
    const auto observer = room.observers.find(id);
    if (observer->second.here) {
      event.user = observer->second.user;
      event.session = observer->second.session;
    }
    room.observers.erase(observer);
    Look(room);
    pause = !room.workers.empty();
    EraseIfEmpty(session);
  }
  if (event.session == nullptr) return;
  tell_(event);
  if (pause) PauseLater(event.session->instance_id());
}

void Moderation::PauseLater(const std::string& session) {
  timer_.After(grace_, [this, session] { Pause(session); });
}

void Moderation::Pause(const std::string& session) {
  std::vector<std::pair<Id, Work>> unobserved;
  {
    MutexLock lock(mu_);
    const auto room = rooms_.find(session);
    if (room == rooms_.end()) return;
    for (const auto& [id, worker] : room->second.workers) {
      if (worker.unobserved_since + grace_ <=
          MonotonicNow() + absl::Milliseconds(1)) {
        unobserved.emplace_back(id, worker.work);
      }
    }
  }
  for (auto& [id, work] : unobserved) {
    const std::string role = role_of_(work.user, *work.session, work.verb);
    if (role.empty()) continue;
    {
      MutexLock lock(mu_);
      const auto found = where_.find(id);
      if (found == where_.end() || IsObserved(rooms_[found->second], work)) {
        continue;
      }
    }
    End(id);
    const std::string why = NeedsObserver(*work.session, role);
    tell_({.verb = "session.paused",
           .user = work.user,
           .session = work.session,
           .reason = why});
    work.end(absl::FailedPreconditionError(why));
  }
}

void Moderation::Recheck() {
  std::vector<std::string> sessions;
  {
    MutexLock lock(mu_);
    for (const auto& [session, room] : rooms_) {
      // Since when they are unobserved stays: what sets this off would give
      // them time again and again.
      if (!room.workers.empty()) sessions.push_back(session);
    }
  }
  for (const std::string& session : sessions) PauseLater(session);
}

}  // namespace berth::broker
