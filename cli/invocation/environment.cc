#include "cli/invocation/environment.h"

#include <iterator>
#include <utility>

#include "absl/strings/match.h"

namespace berth::cli {
namespace {

bool IsWanted(absl::string_view name) {
  if (absl::StartsWith(name, "BERTH_") || absl::StartsWith(name, "XDG_") ||
      absl::StartsWith(name, "LC_")) {
    return true;
  }
  for (absl::string_view wanted : {"HOME", "USER", "LOGNAME", "TERM", "LANG",
                                   "NO_COLOR", "COLUMNS", "TZ"}) {
    if (name == wanted) return true;
  }
  return false;
}

}  // namespace

Environment Environment::FromProcess(char** environ) {
  Environment result;
  for (; environ != nullptr && *environ != nullptr; ++environ) {
    const absl::string_view entry = *environ;
    const size_t equals = entry.find('=');
    if (equals == entry.npos || !IsWanted(entry.substr(0, equals))) continue;
    result.Set(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return result;
}

void Environment::Set(absl::string_view name, absl::string_view value) {
  variables_.insert_or_assign(std::string(name), std::string(value));
}

absl::string_view Environment::Get(absl::string_view name) const {
  const auto it = variables_.find(name);
  return it == variables_.end() ? absl::string_view() : it->second;
}

}  // namespace berth::cli
