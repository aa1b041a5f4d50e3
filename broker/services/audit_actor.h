#ifndef BERTH_BROKER_SERVICES_AUDIT_ACTOR_H_
#define BERTH_BROKER_SERVICES_AUDIT_ACTOR_H_

#include <grpcpp/grpcpp.h>

#include "absl/strings/string_view.h"
#include "broker/audit/event.h"

namespace berth::broker {

// Says in `event` whose certificate `context` has: name, purpose, digest and
// serial number. Of who showed none, nothing. Thread-safe, and quick for a
// certificate that was seen before.
void SetCaller(const grpc::AuthContext& context, AuditEvent& event);

// An event of a call: who, from where, and what.
AuditEvent AuditEventOf(const grpc::ServerContextBase& context,
                        absl::string_view verb, absl::string_view rpc);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_ACTOR_H_
