#ifndef BERTH_BASE_NAMES_H_
#define BERTH_BASE_NAMES_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace berth {

// Names of sessions, computers, users and configurations: 1 to 64 letters,
// digits and "._-", not only digits (that would be an id), and not starting
// with "-" (that would be an option). InvalidArgument, naming `what` and the
// name, for any other.
absl::Status CheckName(absl::string_view what, absl::string_view name);

// Whether `pattern` has a wildcard: "*" or "?".
bool IsWildcard(absl::string_view pattern);

// Whether `name` fits `pattern` ("*" any text, "?" any one byte), without
// regard to the case of ASCII letters. Time is bounded by the product of the
// lengths.
bool MatchesWildcard(absl::string_view pattern, absl::string_view name);

// As MatchesWildcard(), but letters must be the same: for names that give
// rights, as "Alice" is not "alice".
bool MatchesWildcardExactly(absl::string_view pattern, absl::string_view name);

}  // namespace berth

#endif  // BERTH_BASE_NAMES_H_
