#include "cli/commands/ls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "cli/client/sessions.h"
#include "cli/commands/parser.h"
#include "cli/render/sessions.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth ls\n"
    "  berth ls 'web*' -c Server01 -o wide\n"
    "  berth ls --state Disconnected -o jsonl\n"
    "  berth ls --owner alice\n";

void KeepConfigurations(const std::vector<std::string>& names,
                        std::vector<v1::Session>& sessions) {
  if (names.empty()) return;
  const auto is_other = [&](const v1::Session& session) {
    return std::none_of(
        names.begin(), names.end(), [&](const std::string& name) {
          return absl::EqualsIgnoreCase(name, session.configuration());
        });
  };
  sessions.erase(std::remove_if(sessions.begin(), sessions.end(), is_other),
                 sessions.end());
}

}  // namespace

int RunLs(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  std::vector<std::string> states;
  std::vector<std::string> configurations;
  Format format = Format::kTable;
  Parser parser("ls", "Lists your sessions.", kExamples);
  parser.AddSelectors(query, "which sessions; without it, all");
  parser.app()
      .add_option("--state", states,
                  "only these: Opened, Disconnected, Broken, Closed")
      ->type_name("STATE,...")
      ->allow_extra_args(false);
  parser.app()
      .add_option("--label", query.labels,
                  "only on computers with this label: role, role=db, "
                  "\"role=d*\"; repeated: with all of them")
      ->type_name("KEY[=VALUE]")
      ->allow_extra_args(false);
  parser.app()
      .add_option("--configuration", configurations,
                  "only those made from these configurations")
      ->type_name("NAME,...")
      ->allow_extra_args(false);
  parser.app().add_flag("--all-owners", query.all_owners,
                        "sessions of all users, as far as you may list them");
  parser.AddFormat(format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  for (const std::string& name : SplitLists(states)) {
    const absl::StatusOr<v1::SessionState> state = ParseState(name);
    if (!state.ok()) return invocation.Fail(state.status(), kUsageExit);
    query.states.push_back(*state);
  }
  if (absl::Status status = CheckSelectors(query.selectors); !status.ok()) {
    return invocation.Fail(status, kUsageExit);
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  const std::vector<std::string> kept = SplitLists(configurations);
  SessionListing listing(format, absl::Now(), IsAboutOthers(query));
  int printed = 0;
  const absl::Status status =
      ListSessionPages(**connection, invocation.signals(), query,
                       [&](std::vector<v1::Session> page) {
                         KeepConfigurations(kept, page);
                         printed = invocation.Print(listing.Add(page));
                         return printed == 0;  // Else its reader has left.
                       });
  if (printed == 0) printed = invocation.Print(listing.End());
  return status.ok() ? printed : invocation.Fail(status);
}

}  // namespace berth::cli
