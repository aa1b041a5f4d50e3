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

std::string FirstLine(const std::string& script) {
  const std::string line = script.substr(0, script.find('\n'));
  const std::string cut = line.substr(0, AuditEvent::kMaxValueBytes - 4);
  return cut.size() < script.size() ? cut + " ..." : cut;
}

}  // namespace berth::broker
