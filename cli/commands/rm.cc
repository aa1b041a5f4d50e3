#include "cli/commands/rm.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/commands/targets.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth rm 1\n"
    "  berth rm -c Server03 --id 3\n"
    "  berth rm 'build*'\n";

}  // namespace

int RunRm(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  std::vector<std::string> ids;
  Parser parser("rm", "Ends sessions, with all that runs in them.", kExamples);
  parser.AddSelectors(query, "which sessions");
  parser.app()
      .add_option("--id", ids, "ids, as selectors are")
      ->type_name("ID,...")
      ->allow_extra_args(false);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  for (std::string& id : SplitLists(ids)) {
    query.selectors.push_back(std::move(id));
  }
  const auto made = parser.Connect(invocation);
  if (!made.ok()) return invocation.Fail(made.status());
  Connection& connection = **made;
  std::vector<v1::Session> sessions;
  return ForEachTarget(
      connection, invocation, query,
      [&](const Target& target) -> absl::StatusOr<v1::Session> {
        v1::RemoveSessionRequest request;
        *request.mutable_session() = target.ref;
        *request.mutable_client() = connection.client();
        v1::RemoveSessionResponse response;
        BERTH_RETURN_IF_ERROR(
            Call(connection, invocation.signals(), connection.sessions(),
                 &v1::Sessions::Stub::RemoveSession, request, response));
        return std::move(*response.mutable_session());
      },
      sessions);
}

}  // namespace berth::cli
