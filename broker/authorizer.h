#ifndef BERTH_BROKER_AUTHORIZER_H_
#define BERTH_BROKER_AUTHORIZER_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/tls/identity.h"

namespace berth::broker {

// Authorizer decides which caller may call which method: the one place that
// every rpc passes, whatever service it belongs to. Thread-safe.
class Authorizer {
 public:
  // Whether a user is an administrator now. Thread-safe; must not block.
  using IsAdmin = std::function<bool(const std::string& user)>;

  explicit Authorizer(IsAdmin is_admin) : is_admin_(std::move(is_admin)) {}

  // Whether `caller` (or whatever is wrong with their certificate) may call
  // `method` ("/berth.v1.Sessions/Run"). Unauthenticated; PermissionDenied,
  // also for a method that is not in the table.
  absl::Status Check(absl::string_view method,
                     const absl::StatusOr<Identity>& caller) const;

  // Whether the table has `method`.
  static bool Knows(absl::string_view method);

 private:
  const IsAdmin is_admin_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUTHORIZER_H_
