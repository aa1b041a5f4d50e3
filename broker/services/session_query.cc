#include "broker/services/session_query.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/selector.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

constexpr int kMaxSelectors = 1000;

absl::Status CheckCount(absl::string_view what, int count) {
  if (count <= kMaxSelectors) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the request carries ", count,
                                                 " ", what, ", ", kMaxSelectors,
                                                 " at most; use a wildcard"));
}

// Patterns of names, and which of them have matched.
class NameFilter {
 public:
  explicit NameFilter(
      const google::protobuf::RepeatedPtrField<std::string>& patterns)
      : patterns_(patterns.begin(), patterns.end()),
        matched_(patterns.size(), false) {}

  // Whether `name` fits. No patterns: any does.
  bool Matches(absl::string_view name) {
    bool fits = patterns_.empty();
    for (size_t i = 0; i < patterns_.size(); ++i) {
      if (!MatchesWildcard(patterns_[i], name)) continue;
      fits = true;
      matched_[i] = true;
    }
    return fits;
  }

  // The literal names that no name has matched.
  std::vector<std::string> Unmatched() const {
    std::vector<std::string> names;
    for (size_t i = 0; i < patterns_.size(); ++i) {
      if (!matched_[i] && !IsWildcard(patterns_[i])) {
        names.push_back(
            absl::StrCat("'", EscapeForTerminal(patterns_[i]), "'"));
      }
    }
    return names;
  }

 private:
  const std::vector<std::string> patterns_;
  std::vector<bool> matched_;
};

absl::Status NotFound(absl::string_view what,
                      const std::vector<std::string>& names,
                      absl::string_view see) {
  if (names.empty()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(
      "no ", what, " ", absl::StrJoin(names, ", "), "; see `", see, "`"));
}

bool WantsState(const v1::ListSessionsRequest& request,
                v1::SessionState state) {
  return request.states().empty() ||
         std::find(request.states().begin(), request.states().end(), state) !=
             request.states().end();
}

}  // namespace

absl::StatusOr<SessionQueryResult> QuerySessions(
    const Registry& registry, absl::string_view owner,
    const v1::ListSessionsRequest& request) {
  BERTH_RETURN_IF_ERROR(CheckCount("selectors", request.selectors_size()));
  BERTH_RETURN_IF_ERROR(CheckCount("computers", request.computers_size()));
  std::vector<Selector> selectors;
  for (const std::string& text : request.selectors()) {
    BERTH_ASSIGN_OR_RETURN(selectors.emplace_back(), ParseSelector(text));
  }
  NameFilter computers(request.computers());
  for (const v1::Computer& computer : registry.Computers()) {
    computers.Matches(computer.name());
  }
  std::vector<bool> matched(selectors.size(), false);
  SessionQueryResult result;
  for (const SessionRecord& session : registry.SessionsOf(owner)) {
    if (!computers.Matches(session->computer())) continue;
    bool wanted = selectors.empty();
    for (size_t i = 0; i < selectors.size(); ++i) {
      if (selectors[i].Matches(session->id(), session->name(),
                               session->instance_id())) {
        wanted = matched[i] = true;
      }
    }
    if (!wanted) continue;
    v1::Session view = registry.View(request.client().id(), *session);
    if (!WantsState(request, view.state())) continue;
    result.sessions.push_back(std::move(view));
  }
  result.status =
      NotFound("computer", computers.Unmatched(), "berth computers");
  std::vector<std::string> unmatched;
  for (size_t i = 0; i < selectors.size(); ++i) {
    if (!matched[i] && selectors[i].is_literal()) {
      unmatched.push_back(
          absl::StrCat("'", EscapeForTerminal(request.selectors(i)), "'"));
    }
  }
  if (result.status.ok()) {
    result.status = NotFound("session", unmatched, "berth ls");
  }
  return result;
}

absl::StatusOr<ComputerQueryResult> QueryComputers(
    const Registry& registry, const v1::ListComputersRequest& request) {
  BERTH_RETURN_IF_ERROR(CheckCount("names", request.names_size()));
  NameFilter names(request.names());
  ComputerQueryResult result;
  for (v1::Computer& computer : registry.Computers()) {
    if (names.Matches(computer.name())) {
      result.computers.push_back(std::move(computer));
    }
  }
  result.status = NotFound("computer", names.Unmatched(), "berth computers");
  return result;
}

}  // namespace berth::broker
