#ifndef BERTH_BROKER_SERVICES_AUDIT_VERBS_H_
#define BERTH_BROKER_SERVICES_AUDIT_VERBS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace berth::broker {

// Whether an allowed call of `method` is in the audit log. All are but those
// that only list (see IsListed()) or keep a link; a method that nobody thought
// of is.
bool IsAudited(absl::string_view method);

// Whether a call of `method` only lists: the log has these by the minute.
bool IsListed(absl::string_view method);

// What the log calls it: "run" for "/berth.v1.Sessions/Run", and for a method
// without a short name that name itself: "apply-policy".
std::string AuditVerb(absl::string_view method);

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_AUDIT_VERBS_H_
