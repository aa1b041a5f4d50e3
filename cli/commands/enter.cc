#include "cli/commands/enter.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/commands/parser.h"
#include "cli/commands/targets.h"
#include "cli/run/exit_status.h"
#include "cli/terminal/terminal_loop.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "You are at the session's own shell, with all that ran in it before. At "
    "the\n"
    "beginning of a line ~. detaches, ~? tells what else there is; so does "
    "'exit'\n"
    "detach: the session goes on. With -c a session is made for this visit, "
    "and\n"
    "ends with it.\n\n"
    "Examples:\n"
    "  berth enter 3\n"
    "  berth enter -c web01             # a session for this visit only\n"
    "  berth enter -c web01 --run-as deploy\n"
    "  berth enter 3 --peek             # watch what another one does\n";

constexpr absl::Duration kDefaultWait = absl::Minutes(4);

struct Options {
  std::string session;
  std::string owner;  // Of it; empty: the user.
  std::string computer;
  std::string configuration;
  std::string run_as;
  bool peek = false;
  bool take = false;
  bool share = false;
  bool no_wait = false;
  bool exit_ends_session = false;
  std::optional<absl::Duration> wait;
  std::string escape = "~";
};

absl::StatusOr<std::optional<char>> EscapeOf(const std::string& text) {
  if (text == "none") return std::optional<char>();
  if (text.size() == 1 && text[0] > ' ' && text[0] < 0x7f) {
    return std::optional<char>(text[0]);
  }
  // As ^X.
  if (text.size() == 2 && text[0] == '^' && text[1] >= '@' && text[1] <= '_') {
    return std::optional<char>(text[1] & 0x1f);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--escape ", text,
                   ": give one character, one with control as ^X, or none"));
}

absl::Status Check(const Invocation& invocation, const Options& options) {
  if (options.session.empty() == options.computer.empty()) {
    return absl::InvalidArgumentError(
        "name one session, as in 'berth enter 3', or a computer to make one "
        "on: 'berth enter -c web01'");
  }
  if (!options.session.empty() &&
      !(options.run_as.empty() && options.configuration.empty())) {
    return absl::InvalidArgumentError(
        "--run-as and --configuration are for a session that is made: with -c, "
        "or 'berth new'");
  }
  if (options.peek + options.take + options.share > 1) {
    return absl::InvalidArgumentError(
        "choose one of --peek, --take and --share");
  }
  if (isatty(invocation.in_fd()) != 1) {
    return absl::InvalidArgumentError(
        "standard input is no terminal; to run something use 'berth run -s "
        "SESSION -- COMMAND'");
  }
  return absl::OkStatus();
}

v1::TerminalMode ModeOf(const Options& options) {
  if (options.peek) return v1::TERMINAL_MODE_PEEK;
  if (options.take) return v1::TERMINAL_MODE_TAKE;
  if (options.share) return v1::TERMINAL_MODE_SHARE;
  return v1::TERMINAL_MODE_UNSPECIFIED;
}

// What $TERM may be in the protocol; else nothing is said.
std::string TermOf(const Invocation& invocation) {
  const absl::string_view term = invocation.environment().Get("TERM");
  const bool good =
      term.size() <= 64 &&
      term.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyz"
          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") == term.npos;
  return good ? std::string(term) : "";
}

absl::StatusOr<v1::Session> MakeTemporary(Invocation& invocation,
                                          Connection& connection,
                                          const Options& options) {
  v1::CreateSessionRequest request;
  request.set_computer(options.computer);
  request.set_configuration(options.configuration);
  request.set_run_as(options.run_as);
  request.set_instance_id(NewUuid());
  request.set_temporary(true);
  *request.mutable_client() = connection.client();
  v1::CreateSessionResponse response;
  BERTH_RETURN_IF_ERROR(
      Call(connection, invocation.signals(), connection.sessions(),
           &v1::Sessions::Stub::CreateSession, request, response));
  return std::move(*response.mutable_session());
}

absl::StatusOr<Target> FindTarget(Invocation& invocation,
                                  Connection& connection,
                                  const Options& options) {
  if (!options.computer.empty()) {
    BERTH_ASSIGN_OR_RETURN(v1::Session made,
                           MakeTemporary(invocation, connection, options));
    return Target{RefOf(made), absl::StrCat(made.id()), std::move(made)};
  }
  SessionQuery query;
  query.selectors.push_back(options.session);
  query.owner = options.owner;
  Targets found = FindTargets(connection, invocation, query);
  BERTH_RETURN_IF_ERROR(found.status);
  if (found.targets.size() == 1) return std::move(found.targets[0]);
  return absl::InvalidArgumentError(
      absl::StrCat("'", options.session, "' fits ", found.targets.size(),
                   " sessions; a terminal is in one: give its id"));
}

// The shell's status, as far as there is one.
int ExitOf(const v1::SessionEnd& end) {
  switch (end.exit_status().how_case()) {
    case v1::ExitStatus::kCode:
      return end.exit_status().code();
    case v1::ExitStatus::kSignal:
      return 128 + end.exit_status().signal();
    case v1::ExitStatus::HOW_NOT_SET:
      return kFailedExit;
  }
  return kFailedExit;
}

std::string DescribeSessionEnd(const v1::SessionEnd& end) {
  switch (end.exit_status().how_case()) {
    case v1::ExitStatus::kCode:
      return absl::StrCat("ended with status ", end.exit_status().code());
    case v1::ExitStatus::kSignal:
      return absl::StrCat("was ended by signal ", end.exit_status().signal());
    case v1::ExitStatus::HOW_NOT_SET:
      break;
  }
  return end.detail().empty() ? "ended" : absl::StrCat("ended: ", end.detail());
}

// One visit and what is said of it afterwards.
class Entering {
 public:
  Entering(Invocation& invocation, Connection& connection,
           const Options& options, const Target& target)
      : invocation_(invocation),
        connection_(connection),
        options_(options),
        target_(target) {}

  int Run(std::optional<char> escape) {
    TerminalLoop loop(invocation_, connection_, Open(), escape);
    outcome_ = loop.Run();
    const int exit = Tell();
    // Else it ends with its first visit, or goes on if that was cut off.
    if (!options_.computer.empty() && !outcome_.session) EndTemporary();
    return exit;
  }

 private:
  v1::OpenTerminal Open() const {
    v1::OpenTerminal open;
    *open.mutable_session() = target_.ref;
    *open.mutable_client() = connection_.client();
    open.set_mode(ModeOf(options_));
    open.set_term(TermOf(invocation_));
    *open.mutable_wait() =
        ToProto(options_.no_wait ? absl::ZeroDuration()
                                 : options_.wait.value_or(kDefaultWait));
    open.set_exit_ends_session(options_.exit_ends_session ||
                               !options_.computer.empty());
    return open;
  }

  int Tell() {
    if (!outcome_.session) {
      if (invocation_.signals().left()) {
        return invocation_.signals().exit_code();
      }
      return invocation_.Fail(outcome_.status, kFailedExit);
    }
    if (outcome_.ended) return TellEnded(*outcome_.ended);
    if (invocation_.signals().left()) {
      Line(absl::StrCat("[detached from ", Name(), HowToReturn(), "]"));
      return invocation_.signals().exit_code();
    }
    // Detached while there was no link, or there was none for too long.
    const bool lost = !absl::IsCancelled(outcome_.status);
    Line(absl::StrCat(
        "[detached from ", Name(),
        lost ? absl::StrCat(": ", EscapeForTerminal(outcome_.status.message()))
             : "",
        HowToReturn(), "]"));
    return lost ? kFailedExit : 0;
  }

  int TellEnded(const v1::TerminalEnded& ended) {
    switch (ended.why()) {
      case v1::TerminalEnded::SESSION_ENDED:
        Line(absl::StrCat("[", Name(), " ",
                          EscapeForTerminal(DescribeSessionEnd(ended.end())),
                          "]"));
        return ExitOf(ended.end());
      case v1::TerminalEnded::TAKEN:
        Line(absl::StrCat("[", Name(), " was taken ",
                          EscapeForTerminal(ended.detail()),
                          "; take it back: berth enter ",
                          EscapeForTerminal(target_.name), " --take]"));
        return 1;
      default:
        Line(absl::StrCat("[detached from ", Name(), HowToReturn(), "]"));
        return 0;
    }
  }

  std::string Name() const {
    return absl::StrCat("session '",
                        EscapeForTerminal(outcome_.session->name()), "' on ",
                        EscapeForTerminal(outcome_.session->computer()));
  }

  std::string HowToReturn() const {
    if (!options_.computer.empty()) return "";
    return absl::StrCat("; berth enter ", EscapeForTerminal(target_.name));
  }

  // Below whatever the terminal shows.
  void Line(absl::string_view text) {
    invocation_.err().Write(absl::StrCat("\r\n", text, "\r\n")).IgnoreError();
  }

  void EndTemporary() {
    v1::RemoveSessionRequest request;
    *request.mutable_session() = target_.ref;
    *request.mutable_client() = connection_.client();
    v1::RemoveSessionResponse response;
    SignalSource nobody_leaves;
    Call(connection_, nobody_leaves, connection_.sessions(),
         &v1::Sessions::Stub::RemoveSession, request, response)
        .IgnoreError();
  }

  Invocation& invocation_;
  Connection& connection_;
  const Options& options_;
  const Target& target_;
  Visit::Outcome outcome_;
};

}  // namespace

int RunEnter(Invocation& invocation, std::vector<std::string> words) {
  Options options;
  Parser parser("enter", "Puts you at a session's shell.", kExamples);
  CLI::App& app = parser.app();
  app.add_option("session", options.session,
                 "which session: its id, name or instance id")
      ->type_name("SESSION");
  app.add_option("-c,--computer", options.computer,
                 "make a session there, for this visit only")
      ->type_name("NAME");
  app.add_option("--configuration", options.configuration,
                 "with -c: what to make it from; else the computer's default");
  app.add_option("--run-as", options.run_as,
                 "with -c: the account of the computer it runs as, if that "
                 "allows it; else what the computer says")
      ->type_name("ACCOUNT");
  app.add_flag("--peek", options.peek, "only watch");
  app.add_flag("--take", options.take,
               "take it over: others are detached, and told by whom");
  app.add_flag("--share", options.share, "type along with others");
  parser.AddOwner(options.owner);
  parser.AddTime("--wait", options.wait,
                 "how long to wait while a command runs (4m)");
  app.add_flag("--no-wait", options.no_wait, "fail at once if one runs");
  app.add_flag("--exit-ends-session", options.exit_ends_session,
               "'exit' ends the session, instead of detaching");
  app.add_option("--escape", options.escape,
                 "instead of ~: a character, ^X, or none")
      ->type_name("CHAR");
  parser.AddContext();
  if (const auto exit =
          parser.Parse(invocation, std::move(words), kFailedExit)) {
    return *exit;
  }
  const auto escape = EscapeOf(options.escape);
  absl::Status status = escape.status();
  if (status.ok()) status = Check(invocation, options);
  if (!status.ok()) return invocation.Fail(status, kFailedExit);
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) {
    return invocation.Fail(connection.status(), kFailedExit);
  }
  const absl::StatusOr<Target> target =
      FindTarget(invocation, **connection, options);
  if (!target.ok()) return invocation.Fail(target.status(), kFailedExit);
  return Entering(invocation, **connection, options, *target).Run(*escape);
}

}  // namespace berth::cli
