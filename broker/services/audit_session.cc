#include "broker/services/audit_session.h"

#include "absl/strings/str_cat.h"

namespace berth::broker {

void SetSession(const v1::Session& session, AuditEvent& event) {
  event.session = session.instance_id();
  event.session_id = absl::StrCat(session.id());
  event.session_name = session.name();
  event.owner = session.owner();
  event.computer = session.computer();
  event.configuration = session.configuration();
}

}  // namespace berth::broker
