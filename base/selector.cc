#include "base/selector.h"

#include <stddef.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace berth {
namespace {

bool IsNumber(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

absl::StatusOr<uint32_t> ParseId(absl::string_view text) {
  uint32_t id = 0;
  if (!IsNumber(text) || !absl::SimpleAtoi(text, &id) || id == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", EscapeForTerminal(text.substr(0, 80)), "' is not a session id"));
  }
  return id;
}

}  // namespace

bool IsInstanceIdPrefix(absl::string_view text) {
  return text.size() >= 4 && text.size() <= 36 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isxdigit(c) || c == '-';
         });
}

bool Selector::Matches(uint32_t id, absl::string_view name,
                       absl::string_view instance_id) const {
  switch (kind) {
    case Kind::kId:
      return id == first;
    case Kind::kRange:
      return id >= first && id <= last;
    case Kind::kName:
      return absl::EqualsIgnoreCase(name, text) ||
             (IsInstanceIdPrefix(text) &&
              absl::StartsWithIgnoreCase(instance_id, text));
    case Kind::kWildcard:
      return MatchesWildcard(text, name);
  }
  return false;
}

absl::StatusOr<Selector> ParseSelector(absl::string_view text) {
  Selector selector;
  if (IsNumber(text)) {
    selector.kind = Selector::Kind::kId;
    BERTH_ASSIGN_OR_RETURN(selector.first, ParseId(text));
    return selector;
  }
  const size_t dots = text.find("..");
  if (dots != absl::string_view::npos && IsNumber(text.substr(0, dots))) {
    selector.kind = Selector::Kind::kRange;
    BERTH_ASSIGN_OR_RETURN(selector.first, ParseId(text.substr(0, dots)));
    BERTH_ASSIGN_OR_RETURN(selector.last, ParseId(text.substr(dots + 2)));
    if (selector.last < selector.first) {
      return absl::InvalidArgumentError(
          absl::StrCat("range '", text, "' ends before it begins"));
    }
    return selector;
  }
  selector.text = std::string(text);
  if (IsWildcard(text) && text.size() <= 64) {
    selector.kind = Selector::Kind::kWildcard;
    return selector;
  }
  selector.kind = Selector::Kind::kName;
  BERTH_RETURN_IF_ERROR(CheckName("session", text));
  return selector;
}

}  // namespace berth
