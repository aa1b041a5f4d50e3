#include "broker/registry/session_view.h"

#include "base/proto_time.h"
#include "base/state/tables.h"

namespace berth::broker {
namespace {

state::Facts FactsOf(absl::string_view client_id, const v1::Session& record,
                     bool online) {
  const v1::Activity::Kind kind = record.activity().kind();
  state::Facts facts;
  facts.ended = record.has_end();
  facts.reachable = online;
  facts.held = record.has_holder();
  facts.held_by_me =
      !client_id.empty() && record.holder().client().id() == client_id;
  // A shell that starts takes commands as one at its prompt does.
  facts.runs = kind == v1::Activity::COMMAND ||
               kind == v1::Activity::TERMINAL || kind == v1::Activity::REPLACED;
  return facts;
}

v1::SessionState ToProto(state::Seen seen) {
  switch (seen) {
    case state::Seen::kOpened:
      return v1::SESSION_STATE_OPENED;
    case state::Seen::kDisconnected:
      return v1::SESSION_STATE_DISCONNECTED;
    case state::Seen::kBroken:
      return v1::SESSION_STATE_BROKEN;
    case state::Seen::kClosed:
      return v1::SESSION_STATE_CLOSED;
  }
  return v1::SESSION_STATE_UNSPECIFIED;
}

v1::SessionAvailability ToProto(state::Availability availability) {
  switch (availability) {
    case state::Availability::kNone:
      return v1::SESSION_AVAILABILITY_NONE;
    case state::Availability::kAvailable:
      return v1::SESSION_AVAILABILITY_AVAILABLE;
    case state::Availability::kBusy:
      return v1::SESSION_AVAILABILITY_BUSY;
  }
  return v1::SESSION_AVAILABILITY_UNSPECIFIED;
}

}  // namespace

v1::Session SessionAsSeenBy(absl::string_view client_id,
                            const v1::Session& record,
                            const Reachability& computer) {
  v1::Session session = record;
  const state::Look look =
      state::LookAt(FactsOf(client_id, record, computer.online));
  session.set_state(ToProto(look.seen));
  session.set_availability(ToProto(look.availability));
  session.clear_broken_since();
  if (session.state() == v1::SESSION_STATE_BROKEN) {
    *session.mutable_broken_since() = berth::ToProto(computer.since);
    session.clear_activity();
  } else if (session.state() == v1::SESSION_STATE_CLOSED) {
    session.clear_activity();
  }
  return session;
}

}  // namespace berth::broker
