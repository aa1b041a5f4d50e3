// What has a terminal: shells, and commands of ssh -t.

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "broker/gateway/sessions.h"
#include "broker/gateway/work.h"
#include "cli/terminal/terminal_loop.h"

namespace berth::gateway {
namespace {

constexpr absl::Duration kWait = absl::Minutes(4);
constexpr char kCommandVariable[] = "BERTH_SSH_COMMAND";

Ended EndOf(const v1::SessionEnd& end) {
  switch (end.exit_status().how_case()) {
    case v1::ExitStatus::kCode:
      return {end.exit_status().code()};
    case v1::ExitStatus::kSignal:
      return {0, end.exit_status().signal()};
    case v1::ExitStatus::HOW_NOT_SET:
      break;
  }
  return {kFailed};
}

class Shell : public Work {
 public:
  explicit Shell(Asked asked) : asked_(std::move(asked)) {}

  Ended Run(cli::Invocation& invocation, cli::Connection& connection) override {
    auto session = WorkSession::Open(connection, invocation.signals(),
                                     asked_.where, asked_.environment);
    if (!session.ok()) return Fail(invocation, session.status());
    v1::OpenTerminal open;
    *open.mutable_session() = session->ref();
    *open.mutable_client() = connection.client();
    // Whoever comes back may find the line they lost still attached.
    open.set_mode(v1::TERMINAL_MODE_TAKE);
    open.set_term(asked_.term);
    open.set_exit_ends_session(session->temporary());
    *open.mutable_wait() = ToProto(kWait);
    // ssh has an escape character of its own.
    cli::TerminalLoop loop(invocation, connection, std::move(open),
                           /*escape=*/std::nullopt);
    const cli::Visit::Outcome outcome = loop.Run();
    if (!outcome.ended) return Fail(invocation, outcome.status);
    switch (outcome.ended->why()) {
      case v1::TerminalEnded::SESSION_ENDED:
        session->Ended();
        return EndOf(outcome.ended->end());
      case v1::TerminalEnded::TAKEN:
        Line(invocation, absl::StrCat("[taken ", outcome.ended->detail(), "]"));
        return {kFailed};
      default:
        if (!session->temporary()) {
          Line(invocation, "[detached; the session goes on]");
        }
        return {0};
    }
  }

 private:
  // The terminal is raw.
  void Line(cli::Invocation& invocation, absl::string_view text) {
    invocation.err()
        .Write(
            absl::StrCat(asked_.mark, "\r\n", EscapeForTerminal(text), "\r\n"))
        .IgnoreError();
  }
  Ended Fail(cli::Invocation& invocation, const absl::Status& status) {
    if (!invocation.signals().left()) {
      Line(invocation, absl::StrCat("berth: ", status.message()));
    }
    return {kFailed};
  }

  const Asked asked_;
};

}  // namespace

std::unique_ptr<Work> MakeShell(Asked asked) {
  return std::make_unique<Shell>(std::move(asked));
}

// The session's own shell runs the command, so that it has the session's
// terminal. What was shown until then is dropped.
std::unique_ptr<Work> MakeTerminalExec(Asked asked, std::string command) {
  asked.environment[kCommandVariable] = std::move(command);
  return std::make_unique<Shell>(std::move(asked));
}

// Marks are written in octal: the line itself, which the terminal shows, must
// not have them in it. What the shell says of its own end is dropped.
std::string TerminalExecLine(const std::string& begin, const std::string& end) {
  const auto print = [](const std::string& mark) {
    std::string line = "printf '";
    for (const unsigned char c : mark)
      absl::StrAppendFormat(&line, "\\%03o", c);
    return absl::StrCat(line, "'");
  };
  return absl::StrCat(" ( eval \"unset ", kCommandVariable, "; ", print(begin),
                      "; $", kCommandVariable, "\" ); { set -- $?; ",
                      print(end), "; exit $1; } 2>/dev/null\r");
}

}  // namespace berth::gateway
