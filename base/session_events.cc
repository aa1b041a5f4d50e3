#include "base/session_events.h"

#include <google/protobuf/util/message_differencer.h>

#include <string>

namespace berth {
namespace {

using Event = v1::SessionEvent;

bool Runs(const v1::Session& session) {
  if (session.has_end()) return false;
  const v1::Activity::Kind kind = session.activity().kind();
  return kind == v1::Activity::COMMAND || kind == v1::Activity::TERMINAL ||
         kind == v1::Activity::REPLACED;
}

// Whether both moments show the same thing running.
bool SameRun(const v1::Session& before, const v1::Session& after) {
  const v1::Activity& a = before.activity();
  const v1::Activity& b = after.activity();
  if (a.kind() != b.kind()) return false;
  if (a.kind() == v1::Activity::COMMAND)
    return a.command_id() == b.command_id();
  return a.what() == b.what() && a.since().seconds() == b.since().seconds() &&
         a.since().nanos() == b.since().nanos();
}

std::string HolderOf(const v1::Session& session) {
  return session.has_end() ? "" : session.holder().client().id();
}

// Without what has events of its own, and what changes all the time.
v1::Session Lasting(const v1::Session& session) {
  v1::Session lasting = session;
  const uint32_t queued = session.activity().queued();
  const bool starting = session.activity().kind() == v1::Activity::STARTING;
  for (const int field :
       {v1::Session::kHolderFieldNumber,
        v1::Session::kDisconnectedAtFieldNumber,
        v1::Session::kExpiresAtFieldNumber, v1::Session::kEndFieldNumber,
        v1::Session::kCwdFieldNumber, v1::Session::kLogBytesFieldNumber,
        v1::Session::kUnacknowledgedBytesFieldNumber,
        v1::Session::kDroppedBytesFieldNumber,
        v1::Session::kLastCommandFieldNumber,
        v1::Session::kActivityFieldNumber}) {
    v1::Session::GetReflection()->ClearField(
        &lasting, v1::Session::GetDescriptor()->FindFieldByNumber(field));
  }
  // Of the activity: whether it takes commands, and how many wait.
  lasting.mutable_activity()->set_queued(queued);
  if (starting) lasting.mutable_activity()->set_kind(v1::Activity::STARTING);
  return lasting;
}

void AddRuns(const v1::Session& before, const v1::Session& after,
             std::vector<Event::Kind>* kinds) {
  const bool same = Runs(before) && Runs(after) && SameRun(before, after);
  const bool other_command =
      before.last_command().command_id() != after.last_command().command_id();
  if (other_command || (Runs(before) && !same)) kinds->push_back(Event::ENDED);
  if (Runs(after) && !same) kinds->push_back(Event::STARTED);
}

}  // namespace

std::vector<Event::Kind> EventsBetween(const SessionMoment& before,
                                       const SessionMoment& after) {
  std::vector<Event::Kind> kinds;
  if (after.record == nullptr) {
    if (before.record != nullptr) kinds.push_back(Event::REMOVED);
    return kinds;
  }
  const v1::Session& now = *after.record;
  if (before.record == nullptr) {
    kinds.push_back(Event::CREATED);
    if (Runs(now)) kinds.push_back(Event::STARTED);
  } else {
    const v1::Session& then = *before.record;
    const bool lives = !now.has_end();
    if (lives && before.online != after.online) {
      kinds.push_back(after.online ? Event::HEALED : Event::BROKEN);
    }
    if (lives && HolderOf(then) != HolderOf(now)) {
      kinds.push_back(Event::HOLDER_CHANGED);
    }
    AddRuns(then, now, &kinds);
    if (kinds.empty() && lives &&
        !google::protobuf::util::MessageDifferencer::Equals(Lasting(then),
                                                            Lasting(now))) {
      kinds.push_back(Event::CHANGED);
    }
  }
  const bool was_closed = before.record != nullptr && before.record->has_end();
  if (now.has_end() && !was_closed) kinds.push_back(Event::CLOSED);
  if (after.expiring && !before.expiring) kinds.push_back(Event::IDLE_WARNING);
  return kinds;
}

}  // namespace berth
