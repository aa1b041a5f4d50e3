#include "cli/commands/new.h"

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/commands/parallel.h"
#include "cli/commands/parser.h"
#include "cli/config/client_id.h"
#include "cli/render/sessions.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth new                       # on this computer\n"
    "  berth new -c web01,web02        # one on each\n"
    "  berth new -c db1 --name backup --idle-timeout 8h\n";

// So that ids are given in the order of the computers; most sessions are made
// in less.
constexpr absl::Duration kHeadStart = absl::Milliseconds(20);

struct Options {
  std::vector<std::string> computers;
  std::string name;
  std::string configuration;
  std::optional<absl::Duration> idle_timeout;
  Format format = Format::kTable;
};

absl::StatusOr<v1::Session> Create(Connection& connection,
                                   Invocation& invocation,
                                   const Options& options,
                                   const std::string& computer) {
  v1::CreateSessionRequest request;
  request.set_computer(computer);
  request.set_name(options.name);
  request.set_configuration(options.configuration);
  request.set_instance_id(NewUuid());
  *request.mutable_client() = connection.client();
  if (options.idle_timeout) {
    *request.mutable_idle_timeout() = ToProto(*options.idle_timeout);
  }
  v1::CreateSessionResponse response;
  BERTH_RETURN_IF_ERROR(
      Call(connection, invocation.signals(), connection.sessions(),
           &v1::Sessions::Stub::CreateSession, request, response));
  return std::move(*response.mutable_session());
}

int Work(Invocation& invocation, Connection& connection,
         const Options& options) {
  invocation.connector().WaitPresent(connection);
  const size_t count = options.computers.size();
  std::vector<absl::StatusOr<v1::Session>> outcomes(count);
  ForEachStaggered(count, kHeadStart, [&](size_t i) {
    outcomes[i] = Create(connection, invocation, options, options.computers[i]);
  });
  int exit = 0;
  std::vector<v1::Session> sessions;
  for (absl::StatusOr<v1::Session>& outcome : outcomes) {
    if (outcome.ok()) {
      sessions.push_back(*std::move(outcome));
    } else {
      exit = invocation.Fail(outcome.status());
    }
  }
  const int printed =
      invocation.Print(RenderSessions(sessions, options.format, absl::Now()));
  return exit != 0 ? exit : printed;
}

}  // namespace

int RunNew(Invocation& invocation, std::vector<std::string> words) {
  Options options;
  Parser parser("new", "Makes sessions, one on each computer.", kExamples);
  parser.AddComputers(options.computers, "where; without it, on this computer");
  parser.app().add_option("--name", options.name,
                          "display name; else Session and the id");
  parser.app().add_option("--configuration", options.configuration,
                          "what to make it from; else the computer's default");
  parser.AddTime("--idle-timeout", options.idle_timeout,
                 "ends it after this time with nobody connected");
  parser.AddFormat(options.format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  if (options.computers.empty()) {
    absl::StatusOr<std::string> host = HostName();
    if (!host.ok()) return invocation.Fail(host.status());
    options.computers.push_back(*std::move(host));
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  return Work(invocation, **connection, options);
}

}  // namespace berth::cli
