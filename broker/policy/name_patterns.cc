#include "broker/policy/name_patterns.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace berth::broker {

absl::Status NamePatterns::Add(absl::string_view what,
                               absl::string_view pattern) {
  if (IsWildcard(pattern)) {
    // What a wildcard stands for may be anything, so "x" does for it: "1*" is
    // a good one.
    const std::string sample =
        absl::StrReplaceAll(pattern, {{"*", "x"}, {"?", "x"}});
    if (!CheckName(what, sample).ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          what, " '", pattern.substr(0, 80),
          "' is no wildcard over names: those have 1 to 64 letters, digits "
          "and \"._-\""));
    }
    wildcards_.emplace_back(pattern);
  } else {
    BERTH_RETURN_IF_ERROR(CheckName(what, pattern));
    names_.emplace(pattern);
  }
  texts_.emplace_back(pattern);
  return absl::OkStatus();
}

bool NamePatterns::Has(absl::string_view name) const {
  return names_.contains(name) ||
         std::any_of(wildcards_.begin(), wildcards_.end(),
                     [&](const std::string& wildcard) {
                       return MatchesWildcardExactly(wildcard, name);
                     });
}

bool NamePatterns::HasAll() const {
  return std::find(wildcards_.begin(), wildcards_.end(), "*") !=
         wildcards_.end();
}

std::string NamePatterns::ToString() const {
  return absl::StrJoin(texts_, ", ");
}

}  // namespace berth::broker
