#include "cli/commands/ls.h"

#include <utility>

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
    "  berth ls --state Disconnected -o jsonl\n";

}  // namespace

int RunLs(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  std::vector<std::string> states;
  Format format = Format::kTable;
  Parser parser("ls", "Lists your sessions.", kExamples);
  parser.AddSelectors(query, "which sessions; without it, all");
  parser.app()
      .add_option("--state", states,
                  "only these: Opened, Disconnected, Broken, Closed")
      ->type_name("STATE,...")
      ->allow_extra_args(false);
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
  const SessionList list =
      ListSessions(**connection, invocation.signals(), query);
  const int printed =
      invocation.Print(RenderSessions(list.sessions, format, absl::Now()));
  return list.status.ok() ? printed : invocation.Fail(list.status);
}

}  // namespace berth::cli
