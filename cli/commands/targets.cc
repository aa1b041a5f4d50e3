#include "cli/commands/targets.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands/parallel.h"

namespace berth::cli {

Targets FindTargets(Connection& connection, Invocation& invocation,
                    const SessionQuery& query) {
  Targets found;
  if (query.selectors.empty()) {
    found.status = absl::InvalidArgumentError(
        "no session named: give an id, a name or \"*\" (see 'berth ls')");
    return found;
  }
  found.status = CheckSelectors(query.selectors);
  if (!found.status.ok()) return found;
  if (std::optional<v1::SessionRef> ref = LiteralRef(query)) {
    // What it is called in commands that are suggested.
    std::string name = query.selectors[0];
    if (!query.owner.empty() && name.find('/') == name.npos) {
      name = absl::StrCat(query.owner, "/", name);
    }
    found.targets.push_back({*std::move(ref), std::move(name), {}});
    return found;
  }
  SessionList list = ListSessions(connection, invocation.signals(), query);
  found.status = list.status;
  for (v1::Session& session : list.sessions) {
    Target target{RefOf(session),
                  IsAboutOthers(query)
                      ? absl::StrCat(session.owner(), "/", session.id())
                      : absl::StrCat(session.id()),
                  {}};
    target.session = std::move(session);
    found.targets.push_back(std::move(target));
  }
  return found;
}

int ForEachTarget(
    Connection& connection, Invocation& invocation, const SessionQuery& query,
    const std::function<absl::StatusOr<v1::Session>(const Target&)>& work,
    std::vector<v1::Session>& results) {
  const Targets found = FindTargets(connection, invocation, query);
  int exit = found.status.ok() ? 0 : invocation.Fail(found.status);
  std::vector<absl::StatusOr<v1::Session>> outcomes(found.targets.size());
  ForEachInParallel(found.targets.size(),
                    [&](size_t i) { outcomes[i] = work(found.targets[i]); });
  for (absl::StatusOr<v1::Session>& outcome : outcomes) {
    if (outcome.ok()) {
      results.push_back(*std::move(outcome));
    } else {
      exit = invocation.Fail(outcome.status());
    }
  }
  return exit;
}

}  // namespace berth::cli
