#include "cli/invocation/environment.h"

#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

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

Environment Environment::FromProcess(char** environ,
                                     const std::vector<std::string>& args) {
  Environment result = FromProcess(environ);
  for (size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
    absl::string_view option = args[i];
    if (!absl::ConsumePrefix(&option, "--using")) continue;
    if (option.empty() && i + 1 < args.size()) {
      option = args[++i];
    } else if (!absl::ConsumePrefix(&option, "=")) {
      continue;
    }
    // NAME, or NAME=MINE.
    const size_t equals = option.find('=');
    const absl::string_view wanted =
        equals == option.npos ? option : option.substr(equals + 1);
    for (char** entry = environ; entry != nullptr && *entry != nullptr;
         ++entry) {
      absl::string_view value = *entry;
      if (absl::ConsumePrefix(&value, wanted) &&
          absl::ConsumePrefix(&value, "=")) {
        result.Set(wanted, value);
      }
    }
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
