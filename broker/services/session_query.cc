#include "broker/services/session_query.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

constexpr int kMaxSelectors = 1000;
constexpr int kMaxComputers = 10'000;
constexpr int kMaxLabels = 64;

absl::Status CheckCount(absl::string_view what, int count, int most) {
  if (count <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the request carries ", count,
                                                 " ", what, ", ", most,
                                                 " at most; use a wildcard"));
}

// Whether a computer has all of these labels: "key", "key=value", "key=v*".
bool HasLabels(const v1::Computer& computer,
               const google::protobuf::RepeatedPtrField<std::string>& wanted) {
  return std::all_of(
      wanted.begin(), wanted.end(), [&](const std::string& label) {
        const size_t equals = label.find('=');
        const auto it = computer.labels().find(label.substr(0, equals));
        return it != computer.labels().end() &&
               (equals == std::string::npos ||
                MatchesWildcard(label.substr(equals + 1), it->second));
      });
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

absl::StatusOr<SessionScan> SessionScan::Begin(
    Viewer viewer, v1::ListSessionsRequest request) {
  BERTH_RETURN_IF_ERROR(
      CheckCount("selectors", request.selectors_size(), kMaxSelectors));
  BERTH_RETURN_IF_ERROR(
      CheckCount("computers", request.computers_size(), kMaxSelectors));
  BERTH_RETURN_IF_ERROR(
      CheckCount("labels", request.labels_size(), kMaxLabels));
  SessionScan scan(std::move(viewer), std::move(request));
  for (const std::string& text : scan.request_.selectors()) {
    BERTH_ASSIGN_OR_RETURN(scan.selectors_.emplace_back(), ParseSelector(text));
  }
  scan.matched_.resize(scan.selectors_.size(), false);
  if (scan.request_.all_owners()) {
    if (!scan.request_.owner().empty()) {
      return absl::InvalidArgumentError(
          "the request names an owner, and asks for all");
    }
    scan.owners_ = scan.viewer_.registry().Owners();
  } else {
    scan.owners_ = {scan.request_.owner().empty() ? scan.viewer_.user()
                                                  : scan.request_.owner()};
  }
  scan.ChooseComputers();
  return scan;
}

void SessionScan::ChooseComputers() {
  if (request_.computers().empty() && request_.labels().empty()) return;
  NameFilter names(request_.computers());
  computers_.emplace();
  for (const v1::Computer& computer : viewer_.registry().Computers()) {
    if (viewer_.Sees(computer) && names.Matches(computer.name()) &&
        HasLabels(computer, request_.labels())) {
      computers_->insert(computer.name());
    }
  }
  unknown_computers_ = names.Unmatched();
}

bool SessionScan::Wants(const v1::Session& session) {
  if (session.temporary() || !viewer_.May(session, Verb::kList)) return false;
  if (computers_.has_value() && !computers_->contains(session.computer())) {
    return false;
  }
  bool wanted = selectors_.empty();
  for (size_t i = 0; i < selectors_.size(); ++i) {
    if (selectors_[i].Matches(session.id(), session.name(),
                              session.instance_id())) {
      wanted = matched_[i] = true;
    }
  }
  return wanted;
}

bool SessionScan::Next(int most,
                       google::protobuf::RepeatedPtrField<v1::Session>* page) {
  // So that the registry is never locked for long.
  constexpr size_t kStep = 500;
  while (owner_ < owners_.size()) {
    const std::vector<SessionRecord> some =
        viewer_.registry().SessionsOf(owners_[owner_], after_, kStep);
    for (const SessionRecord& session : some) {
      if (page->size() == most) return true;
      after_ = {session->id(), session->instance_id()};
      if (!Wants(*session)) continue;
      v1::Session view = viewer_.registry().View(
          viewer_.ClientIdIn(*session, request_.client().id()), *session);
      if (WantsState(request_, view.state())) *page->Add() = std::move(view);
    }
    if (some.size() < kStep) {
      ++owner_;
      after_ = {};
    }
  }
  return false;
}

absl::Status SessionScan::status() const {
  BERTH_RETURN_IF_ERROR(
      NotFound("computer", unknown_computers_, "berth computers"));
  std::vector<std::string> unmatched;
  for (size_t i = 0; i < selectors_.size(); ++i) {
    if (!matched_[i] && selectors_[i].is_literal()) {
      unmatched.push_back(
          absl::StrCat("'", EscapeForTerminal(request_.selectors(i)), "'"));
    }
  }
  return NotFound("session", unmatched, "berth ls");
}

absl::StatusOr<SessionQueryResult> QuerySessions(
    Viewer viewer, const v1::ListSessionsRequest& request) {
  BERTH_ASSIGN_OR_RETURN(SessionScan scan,
                         SessionScan::Begin(std::move(viewer), request));
  google::protobuf::RepeatedPtrField<v1::Session> found;
  while (scan.Next(std::numeric_limits<int>::max(), &found)) {
  }
  SessionQueryResult result;
  result.sessions.assign(std::make_move_iterator(found.begin()),
                         std::make_move_iterator(found.end()));
  result.status = scan.status();
  return result;
}

absl::StatusOr<ComputerQueryResult> QueryComputers(
    Viewer viewer, const v1::ListComputersRequest& request) {
  BERTH_RETURN_IF_ERROR(
      CheckCount("names", request.names_size(), kMaxComputers));
  BERTH_RETURN_IF_ERROR(
      CheckCount("labels", request.labels_size(), kMaxLabels));
  NameFilter names(request.names());
  ComputerQueryResult result;
  for (v1::Computer& computer : viewer.registry().Computers()) {
    if (viewer.Sees(computer) && names.Matches(computer.name()) &&
        HasLabels(computer, request.labels())) {
      result.computers.push_back(std::move(computer));
    }
  }
  result.status = NotFound("computer", names.Unmatched(), "berth computers");
  return result;
}

absl::StatusOr<ConfigurationQueryResult> QueryConfigurations(
    Viewer viewer, const v1::ListConfigurationsRequest& request) {
  BERTH_RETURN_IF_ERROR(
      CheckCount("computers", request.computers_size(), kMaxComputers));
  NameFilter names(request.computers());
  // A computer is there even if it never told of a configuration.
  absl::flat_hash_set<std::string> seen;
  for (const v1::Computer& computer : viewer.registry().Computers()) {
    if (!viewer.Sees(computer)) continue;
    names.Matches(computer.name());
    seen.insert(computer.name());
  }
  ConfigurationQueryResult result;
  for (v1::Configuration& configuration : viewer.registry().Configurations()) {
    if (seen.contains(configuration.computer()) &&
        names.Matches(configuration.computer())) {
      result.configurations.push_back(std::move(configuration));
    }
  }
  result.status = NotFound("computer", names.Unmatched(), "berth computers");
  return result;
}

}  // namespace berth::broker
