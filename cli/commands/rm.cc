#include "cli/commands/rm.h"

#include <errno.h>
#include <poll.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/status_macros.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/commands/targets.h"
#include "cli/render/sessions.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Says nothing when it succeeds. A name that fits several sessions is\n"
    "refused; with -i they are asked about, one after another.\n\n"
    "Examples:\n"
    "  berth rm 1\n"
    "  berth rm -c Server03 --id 3\n"
    "  berth rm 'build*' --what-if\n"
    "  berth rm -i web\n";

// "session 3 ('web') on web01, running: make".
std::string DescribeSession(const v1::Session& session) {
  std::string text = absl::StrCat("session ", session.id(), " ('",
                                  session.name(), "') on ", session.computer());
  if (session.availability() == v1::SESSION_AVAILABILITY_BUSY &&
      session.has_activity() &&
      session.activity().kind() != v1::Activity::IDLE) {
    absl::StrAppend(&text, ", running: ", Describe(session.activity()));
  }
  return EscapeForTerminal(text);
}

// One line of standard input, without its end; also what an end of the input
// or a signal cuts off.
std::string ReadLine(Invocation& invocation) {
  std::string line;
  char c;
  for (;;) {
    pollfd fds[] = {{invocation.in().fd(), POLLIN, 0},
                    {invocation.signals().left_fd(), POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return line;
    if (fds[1].revents != 0) return "";
    if (fds[0].revents == 0) continue;
    if (invocation.in().Read(&c, 1) <= 0 || c == '\n') return line;
    if (line.size() < 100) line += c;
  }
}

absl::Status Remove(Connection& connection, Invocation& invocation,
                    const v1::SessionRef& ref) {
  v1::RemoveSessionRequest request;
  *request.mutable_session() = ref;
  *request.mutable_client() = connection.client();
  v1::RemoveSessionResponse response;
  return Call(connection, invocation.signals(), connection.sessions(),
              &v1::Sessions::Stub::RemoveSession, request, response);
}

// Lists what is meant, and asks or only tells. Returns the exit status.
int RemoveListed(Connection& connection, Invocation& invocation,
                 const SessionQuery& query, bool what_if) {
  const SessionList list =
      ListSessions(connection, invocation.signals(), query);
  int exit = list.status.ok() ? 0 : invocation.Fail(list.status);
  for (const v1::Session& session : list.sessions) {
    if (what_if) {
      if (const int printed = invocation.Print(
              absl::StrCat("would end ", DescribeSession(session), "\n"));
          printed != 0) {
        return printed;
      }
      continue;
    }
    // A question is no result, and belongs where people look.
    invocation.err()
        .Write(absl::StrCat("end ", DescribeSession(session), "? [y/N] "))
        .IgnoreError();
    const std::string answer = absl::AsciiStrToLower(ReadLine(invocation));
    if (invocation.signals().left()) return invocation.signals().exit_code();
    if (answer != "y" && answer != "yes") continue;
    const absl::Status status = Remove(connection, invocation, RefOf(session));
    if (!status.ok()) exit = invocation.Fail(status);
  }
  return exit;
}

}  // namespace

int RunRm(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  std::vector<std::string> ids;
  bool what_if = false;
  bool confirm = false;
  Parser parser("rm", "Ends sessions, with all that runs in them.", kExamples);
  parser.AddSelectors(query, "which sessions");
  parser.app()
      .add_option("--id", ids, "ids, as selectors are")
      ->type_name("ID,...")
      ->allow_extra_args(false);
  CLI::Option* dry = parser.app().add_flag("-n,--what-if,--dry-run", what_if,
                                           "only say which ones would end");
  parser.app()
      .add_flag("-i,--confirm", confirm, "ask about each one")
      ->excludes(dry);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  for (std::string& id : SplitLists(ids)) {
    query.selectors.push_back(std::move(id));
  }
  if (query.selectors.empty()) {
    return invocation.Fail(
        absl::InvalidArgumentError("no session named: give an id, a name or "
                                   "\"*\" (see 'berth ls')"),
        kUsageExit);
  }
  if (absl::Status status = CheckSelectors(query.selectors); !status.ok()) {
    return invocation.Fail(status, kUsageExit);
  }
  const auto made = parser.Connect(invocation);
  if (!made.ok()) return invocation.Fail(made.status());
  Connection& connection = **made;
  if (what_if || confirm) {
    return RemoveListed(connection, invocation, query, what_if);
  }
  std::vector<v1::Session> sessions;
  return ForEachTarget(
      connection, invocation, query,
      [&](const Target& target) -> absl::StatusOr<v1::Session> {
        BERTH_RETURN_IF_ERROR(Remove(connection, invocation, target.ref));
        return target.session;
      },
      sessions);
}

}  // namespace berth::cli
