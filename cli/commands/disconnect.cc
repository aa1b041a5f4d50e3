#include "cli/commands/disconnect.h"

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
    "The session and what runs in it go on; its idle timeout begins when\n"
    "nothing runs any more.\n\n"
    "Examples:\n"
    "  berth disconnect 2\n"
    "  berth disconnect 1..3 --idle-timeout 8h\n"
    "  berth disconnect 2 --buffering drop\n";

}  // namespace

int RunDisconnect(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  SessionSettings settings;
  Format format = Format::kTable;
  Parser parser("disconnect", "Lets go of sessions.", kExamples);
  parser.AddSelectors(query, "which sessions");
  settings.AddTo(parser);
  parser.AddFormat(format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto made = parser.Connect(invocation);
  if (!made.ok()) return invocation.Fail(made.status());
  Connection& connection = **made;
  std::vector<v1::Session> sessions;
  const int exit = ForEachTarget(
      connection, invocation, query,
      [&](const Target& target) -> absl::StatusOr<v1::Session> {
        v1::DisconnectSessionRequest request;
        *request.mutable_session() = target.ref;
        *request.mutable_client() = connection.client();
        settings.Apply(request);
        v1::DisconnectSessionResponse response;
        BERTH_RETURN_IF_ERROR(
            Call(connection, invocation.signals(), connection.sessions(),
                 &v1::Sessions::Stub::DisconnectSession, request, response));
        return std::move(*response.mutable_session());
      },
      sessions);
  const int printed =
      invocation.Print(RenderSessions(sessions, format, absl::Now()));
  return exit != 0 ? exit : printed;
}

}  // namespace berth::cli
