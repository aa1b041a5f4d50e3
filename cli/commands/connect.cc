#include "cli/commands/connect.h"

#include <utility>

#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/commands/session_settings.h"
#include "cli/commands/targets.h"
#include "cli/render/sessions.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "A session that is connected is Opened for you, for as long as your "
    "keeper\n"
    "runs, and its idle timeout does not. What it printed meanwhile is read\n"
    "with 'berth receive'.\n\n"
    "Examples:\n"
    "  berth connect 2\n"
    "  berth connect 2 --take          # even if another client holds it\n"
    "  berth connect 2 --idle-timeout 8h   # for when you leave it again\n";

}  // namespace

int RunConnect(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  bool take = false;
  SessionSettings settings;
  Format format = Format::kTable;
  Parser parser("connect", "Connects to sessions.", kExamples);
  parser.AddSelectors(query, "which sessions");
  parser.app().add_flag("--take", take, "take it from who holds it");
  settings.AddTo(parser);
  parser.AddFormat(format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto made = parser.Connect(invocation);
  if (!made.ok()) return invocation.Fail(made.status());
  Connection& connection = **made;
  invocation.connector().WaitPresent(connection);
  std::vector<v1::Session> sessions;
  const int exit = ForEachTarget(
      connection, invocation, query,
      [&](const Target& target) -> absl::StatusOr<v1::Session> {
        v1::ConnectSessionRequest request;
        *request.mutable_session() = target.ref;
        *request.mutable_client() = connection.client();
        request.set_take(take);
        settings.Apply(request);
        v1::ConnectSessionResponse response;
        BERTH_RETURN_IF_ERROR(
            Call(connection, invocation.signals(), connection.sessions(),
                 &v1::Sessions::Stub::ConnectSession, request, response));
        return std::move(*response.mutable_session());
      },
      sessions);
  const int printed =
      invocation.Print(RenderSessions(sessions, format, absl::Now()));
  return exit != 0 ? exit : printed;
}

}  // namespace berth::cli
