#include "broker/registry/session_view.h"

#include "base/proto_time.h"

namespace berth::broker {
namespace {

v1::SessionState StateOf(absl::string_view client_id, const v1::Session& record,
                         bool online) {
  if (record.has_end()) return v1::SESSION_STATE_CLOSED;
  if (!online) return v1::SESSION_STATE_BROKEN;
  const bool held = !client_id.empty() && record.has_holder() &&
                    record.holder().client().id() == client_id;
  return held ? v1::SESSION_STATE_OPENED : v1::SESSION_STATE_DISCONNECTED;
}

v1::SessionAvailability AvailabilityOf(v1::SessionState state,
                                       const v1::Session& record) {
  if (state == v1::SESSION_STATE_CLOSED || state == v1::SESSION_STATE_BROKEN) {
    return v1::SESSION_AVAILABILITY_NONE;
  }
  const v1::Activity::Kind kind = record.activity().kind();
  // A shell that starts takes commands as one at its prompt does.
  const bool runs = kind == v1::Activity::COMMAND ||
                    kind == v1::Activity::TERMINAL ||
                    kind == v1::Activity::REPLACED;
  if (runs) return v1::SESSION_AVAILABILITY_BUSY;
  if (state == v1::SESSION_STATE_OPENED) {
    return v1::SESSION_AVAILABILITY_AVAILABLE;
  }
  return record.has_holder() ? v1::SESSION_AVAILABILITY_BUSY
                             : v1::SESSION_AVAILABILITY_NONE;
}

}  // namespace

v1::Session SessionAsSeenBy(absl::string_view client_id,
                            const v1::Session& record,
                            const Reachability& computer) {
  v1::Session session = record;
  session.set_state(StateOf(client_id, record, computer.online));
  session.set_availability(AvailabilityOf(session.state(), record));
  session.clear_broken_since();
  if (session.state() == v1::SESSION_STATE_BROKEN) {
    *session.mutable_broken_since() = ToProto(computer.since);
    session.clear_activity();
  } else if (session.state() == v1::SESSION_STATE_CLOSED) {
    session.clear_activity();
  }
  return session;
}

}  // namespace berth::broker
