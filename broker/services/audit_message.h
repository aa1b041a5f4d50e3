#ifndef BERTH_BROKER_SERVICES_AUDIT_MESSAGE_H_
#define BERTH_BROKER_SERVICES_AUDIT_MESSAGE_H_

#include <google/protobuf/message.h>

#include "broker/audit/event.h"

namespace berth::broker {

// Says in `event` what a request asks for, or a response tells of, whatever
// rpc it is of: the session, client, computer and configuration that it names,
// and its other plain fields as "name=value" in the detail. Never fields that
// hold a token, a key, a certificate or a whole text.
void SetFromMessage(const google::protobuf::Message& message,
                    AuditEvent& event);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_MESSAGE_H_
