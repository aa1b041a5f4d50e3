#ifndef BERTH_BASE_SELECTOR_H_
#define BERTH_BASE_SELECTOR_H_

#include <stdint.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth {

// Selector picks sessions: by id ("3"), range of ids ("1..3"), name ("web1"),
// wildcard of names ("web*"), instance id or a prefix of one ("9f0c11aa").
struct Selector {
  enum class Kind { kId, kRange, kName, kWildcard };

  Kind kind;
  uint32_t first = 0;  // kId and kRange.
  uint32_t last = 0;   // kRange: inclusive, at least `first`.
  std::string text;    // kName and kWildcard; kName may be an instance id.

  // A literal that matches nothing is an error, a wildcard is not. (A range
  // is a wildcard over ids.)
  bool is_literal() const { return kind == Kind::kId || kind == Kind::kName; }

  // Whether a session is meant. Names are compared without case.
  bool Matches(uint32_t id, absl::string_view name,
               absl::string_view instance_id) const;
};

// Reads one selector. InvalidArgument quotes what is wrong.
absl::StatusOr<Selector> ParseSelector(absl::string_view text);

// Whether `text` could be an instance id, or a prefix of one: at least 4 hex
// digits and dashes, of which not all are decimal digits unless it is long.
bool IsInstanceIdPrefix(absl::string_view text);

}  // namespace berth

#endif  // BERTH_BASE_SELECTOR_H_
