#include "agent/login/login_rights.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace berth::agent {
namespace {

constexpr absl::string_view kUmask = "BERTH_LOGIN_UMASK=";
constexpr absl::string_view kLimit = "BERTH_LOGIN_LIMIT_";
constexpr absl::string_view kVariable = "BERTH_LOGIN_VARIABLE_";

constexpr uint32_t kMostUmask = 0777;

// "7=321:321".
bool ParseLimit(absl::string_view text, LoginRights::Limit& limit) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(text, absl::ByAnyChar("=:"));
  return parts.size() == 3 && absl::SimpleAtoi(parts[0], &limit.resource) &&
         absl::SimpleAtoi(parts[1], &limit.soft) &&
         absl::SimpleAtoi(parts[2], &limit.hard);
}

}  // namespace

std::vector<std::string> LoginRights::ToEnvironment() const {
  std::vector<std::string> environment = {absl::StrCat(kUmask, umask)};
  for (const Limit& limit : limits) {
    environment.push_back(
        absl::StrCat(kLimit, limit.resource, "=", limit.soft, ":", limit.hard));
  }
  for (const std::string& variable : variables) {
    environment.push_back(absl::StrCat(kVariable, variable));
  }
  return environment;
}

absl::StatusOr<LoginRights> LoginRights::FromEnvironment(
    const char* const* environment) {
  LoginRights rights;
  bool complete = false;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    absl::string_view entry = *environment;
    Limit limit;
    if (absl::ConsumePrefix(&entry, kUmask)) {
      uint32_t umask = 0;
      complete = absl::SimpleAtoi(entry, &umask) && umask <= kMostUmask;
      rights.umask = umask;
    } else if (absl::ConsumePrefix(&entry, kVariable)) {
      rights.variables.emplace_back(entry);
    } else if (absl::ConsumePrefix(&entry, kLimit)) {
      if (!ParseLimit(entry, limit)) {
        complete = false;
        break;
      }
      rights.limits.push_back(limit);
    }
  }
  if (complete) return rights;
  return absl::FailedPreconditionError(
      "the holder is to be in a login session, and berth-login did not say "
      "what that gives: install the berth-login and berth-holder that came "
      "with the agent");
}

}  // namespace berth::agent
