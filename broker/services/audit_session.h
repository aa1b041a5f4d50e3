#ifndef BERTH_BROKER_SERVICES_AUDIT_SESSION_H_
#define BERTH_BROKER_SERVICES_AUDIT_SESSION_H_

#include <string>

#include "broker/audit/event.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// Says in `event` which session it is about, and whose that is.
void SetSession(const v1::Session& session, AuditEvent& event);

// The first line of a command's text, cut to what the log takes.
std::string FirstLine(const std::string& script);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_SESSION_H_
