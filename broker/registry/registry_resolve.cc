#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "broker/registry/registry.h"

namespace berth::broker {
namespace {

// Shortest prefix of an instance id that names a session.
constexpr size_t kMinPrefix = 4;

// How people would say which session is meant.
std::string Describe(const v1::SessionRef& ref) {
  switch (ref.ref_case()) {
    case v1::SessionRef::kId:
      return absl::StrCat("session '", ref.id(), "'");
    case v1::SessionRef::kInstanceId:
      return absl::StrCat("session with instance id '", ref.instance_id(), "'");
    default:
      return absl::StrCat("session '", ref.name(), "'");
  }
}

absl::Status CheckRef(const v1::SessionRef& ref) {
  if (ref.ref_case() == v1::SessionRef::REF_NOT_SET) {
    return absl::InvalidArgumentError(
        "the request names no session: set id, name or instance_id");
  }
  if (ref.ref_case() == v1::SessionRef::kInstanceId &&
      ref.instance_id().size() < kMinPrefix) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the instance id '", ref.instance_id(),
        "' is too short: give at least ", kMinPrefix, " characters of it"));
  }
  return absl::OkStatus();
}

absl::Status Ambiguous(const v1::SessionRef& ref,
                       const std::vector<SessionRecord>& matches) {
  std::vector<std::string> which;
  const bool by_id = ref.ref_case() == v1::SessionRef::kId;
  for (const SessionRecord& match : matches) {
    which.push_back(
        by_id ? absl::StrCat(match->instance_id(), " on ", match->computer())
              : absl::StrCat(match->id()));
    if (which.size() == 10 && matches.size() > 10) {
      which.push_back("...");
      break;
    }
  }
  if (ref.ref_case() == v1::SessionRef::kName) {
    return absl::FailedPreconditionError(
        absl::StrCat("name '", ref.name(), "' fits ", matches.size(),
                     " sessions: ", absl::StrJoin(which, ", "), "; use an id"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(Describe(ref), " is one of ", matches.size(), ": ",
                   absl::StrJoin(which, ", "),
                   by_id ? "; use an instance id" : "; use an id"));
}

}  // namespace

std::vector<SessionRecord> Registry::MatchesLocked(
    absl::string_view owner, const v1::SessionRef& ref) const {
  std::vector<SessionRecord> matches;
  auto found = owners_.find(owner);
  if (found == owners_.end()) return matches;
  const auto& sessions = found->second.sessions;
  const auto add = [&](const SessionRecord& session) {
    if (ref.computer().empty() ||
        absl::EqualsIgnoreCase(ref.computer(), session->computer())) {
      matches.push_back(session);
    }
  };
  if (ref.ref_case() == v1::SessionRef::kId) {
    for (auto it = sessions.lower_bound(IdKey(ref.id(), ""));
         it != sessions.end() && it->first.first == ref.id(); ++it) {
      add(it->second);
    }
    return matches;
  }
  if (ref.ref_case() == v1::SessionRef::kInstanceId) {
    const std::string id = absl::AsciiStrToLower(ref.instance_id());
    if (IsUuid(id)) {
      auto session = sessions_.find(id);
      if (session != sessions_.end() && session->second->owner() == owner) {
        add(session->second);
      }
      return matches;
    }
    for (const auto& [key, session] : sessions) {
      if (absl::StartsWith(session->instance_id(), id)) add(session);
    }
    return matches;
  }
  for (const auto& [key, session] : sessions) {
    if (absl::EqualsIgnoreCase(session->name(), ref.name())) add(session);
  }
  return matches;
}

absl::StatusOr<SessionRecord> Registry::Resolve(
    absl::string_view owner, const v1::SessionRef& ref,
    absl::FunctionRef<bool(const v1::Session&)> visible) const {
  BERTH_RETURN_IF_ERROR(CheckRef(ref));
  std::vector<SessionRecord> matches;
  {
    MutexLock lock(mu_);
    matches = MatchesLocked(owner, ref);
  }
  matches.erase(std::remove_if(matches.begin(), matches.end(),
                               [&](const SessionRecord& session) {
                                 return !visible(*session);
                               }),
                matches.end());
  if (matches.empty()) {
    const std::string on = ref.computer().empty()
                               ? ""
                               : absl::StrCat(" on '", ref.computer(), "'");
    // The same whether there is none, or none that may be seen.
    const std::string whose =
        ref.owner().empty()
            ? "; see `berth ls`"
            : absl::StrCat(" of user '",
                           EscapeForTerminal(ref.owner().substr(0, 80)),
                           "'; see `berth ls --all-owners`");
    return absl::NotFoundError(absl::StrCat("no ", Describe(ref), on, whose));
  }
  if (matches.size() > 1) return Ambiguous(ref, matches);
  return matches.front();
}

}  // namespace berth::broker
