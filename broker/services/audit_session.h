#ifndef BERTH_BROKER_SERVICES_AUDIT_SESSION_H_
#define BERTH_BROKER_SERVICES_AUDIT_SESSION_H_

#include "broker/audit/event.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// Says in `event` which session it is about, and whose that is.
void SetSession(const v1::Session& session, AuditEvent& event);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_SESSION_H_
