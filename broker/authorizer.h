#ifndef BERTH_BROKER_AUTHORIZER_H_
#define BERTH_BROKER_AUTHORIZER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/tls/identity.h"

namespace berth::broker {

// Authorizer decides which caller may call which method: the one place that
// every rpc passes, whatever service it belongs to. Thread-safe.
class Authorizer {
 public:
  // `admins`: users that may call methods for administrators.
  explicit Authorizer(const std::vector<std::string>& admins)
      : admins_(admins.begin(), admins.end()) {}

  // Whether `caller` (or whatever is wrong with their certificate) may call
  // `method` ("/berth.v1.Sessions/Run"). Unauthenticated; PermissionDenied,
  // also for a method that is not in the table.
  absl::Status Check(absl::string_view method,
                     const absl::StatusOr<Identity>& caller) const;

  // Whether the table has `method`.
  static bool Knows(absl::string_view method);

 private:
  const absl::flat_hash_set<std::string> admins_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUTHORIZER_H_
