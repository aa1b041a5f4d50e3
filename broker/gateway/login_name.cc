#include "broker/gateway/login_name.h"

#include "base/names.h"
#include "base/status_macros.h"

namespace berth::gateway {

absl::StatusOr<LoginName> ParseLoginName(absl::string_view text) {
  LoginName name;
  const size_t plus = text.find('+');
  name.user = std::string(text.substr(0, plus));
  BERTH_RETURN_IF_ERROR(CheckName("user", name.user));
  if (plus == text.npos) return name;
  const absl::string_view where = text.substr(plus + 1);
  const size_t slash = where.find('/');
  name.computer = std::string(where.substr(0, slash));
  BERTH_RETURN_IF_ERROR(CheckName("computer", name.computer));
  if (slash == where.npos) return name;
  name.session = std::string(where.substr(slash + 1));
  BERTH_RETURN_IF_ERROR(CheckName("session", name.session));
  return name;
}

}  // namespace berth::gateway
