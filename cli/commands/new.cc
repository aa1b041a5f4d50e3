#include "cli/commands/new.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/status_macros.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/client/computers.h"
#include "cli/commands/parallel.h"
#include "cli/commands/parser.h"
#include "cli/commands/session_settings.h"
#include "cli/config/client_id.h"
#include "cli/render/sessions.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth new                       # on this computer\n"
    "  berth new -c 'web[01-20]'        # one on each\n"
    "  berth new -c db1 --name backup --idle-timeout 8h\n"
    "  berth new --like 3              # another such session, with new "
    "state\n";

// So that ids are given in the order of the computers; most sessions are made
// in less.
constexpr absl::Duration kHeadStart = absl::Milliseconds(20);

struct Options {
  std::vector<std::string> computers;
  std::string name;
  std::string configuration;
  std::string cwd;
  std::string run_as;
  std::map<std::string, std::string> environment;
  SessionQuery like;
  SessionSettings settings;
  Format format = Format::kTable;
};

// What was said on the command line, over what is asked for already.
void Apply(const Options& options, v1::CreateSessionRequest& request) {
  request.set_name(options.name);
  if (!options.configuration.empty()) {
    request.set_configuration(options.configuration);
  }
  request.set_cwd(options.cwd);
  request.set_run_as(options.run_as);
  for (const auto& [name, value] : options.environment) {
    (*request.mutable_environment())[name] = value;
  }
  options.settings.Apply(request);
}

// A request for another session with the settings of `model`.
v1::CreateSessionRequest Like(const v1::Session& model) {
  v1::CreateSessionRequest request;
  request.set_computer(model.computer());
  request.set_configuration(model.configuration());
  request.set_buffering(model.buffering());
  request.set_never_idles(model.never_idles());
  if (model.has_idle_timeout()) {
    *request.mutable_idle_timeout() = model.idle_timeout();
  }
  return request;
}

// What is to be made, in order.
absl::StatusOr<std::vector<v1::CreateSessionRequest>> Requests(
    Invocation& invocation, Connection& connection, const Options& options) {
  std::vector<v1::CreateSessionRequest> requests;
  if (!options.like.selectors.empty()) {
    BERTH_RETURN_IF_ERROR(CheckSelectors(options.like.selectors));
    const SessionList models =
        ListSessions(connection, invocation.signals(), options.like);
    BERTH_RETURN_IF_ERROR(models.status);
    if (models.sessions.empty()) {
      return absl::NotFoundError("--like: no session matches; see 'berth ls'");
    }
    for (const v1::Session& model : models.sessions) {
      requests.push_back(Like(model));
    }
  }
  if (!options.computers.empty()) {
    if (requests.size() > 1) {
      return absl::InvalidArgumentError(
          "--like with several sessions says where already: leave -c out");
    }
    const v1::CreateSessionRequest model =
        requests.empty() ? v1::CreateSessionRequest() : requests.front();
    BERTH_ASSIGN_OR_RETURN(
        const std::vector<std::string> names,
        ComputerNamesToTry(connection, invocation.signals(),
                           {options.computers, {}}));
    requests.assign(names.size(), model);
    for (size_t i = 0; i < requests.size(); ++i) {
      requests[i].set_computer(names[i]);
    }
  } else if (requests.empty()) {
    BERTH_ASSIGN_OR_RETURN(std::string host, HostName());
    requests.emplace_back().set_computer(std::move(host));
  }
  for (v1::CreateSessionRequest& request : requests) Apply(options, request);
  return requests;
}

absl::StatusOr<v1::Session> Create(Connection& connection,
                                   Invocation& invocation,
                                   v1::CreateSessionRequest request) {
  request.set_instance_id(NewUuid());
  *request.mutable_client() = connection.client();
  v1::CreateSessionResponse response;
  BERTH_RETURN_IF_ERROR(
      Call(connection, invocation.signals(), connection.sessions(),
           &v1::Sessions::Stub::CreateSession, request, response));
  return std::move(*response.mutable_session());
}

int Work(Invocation& invocation, Connection& connection,
         const Options& options) {
  invocation.connector().WaitPresent(connection);
  const auto requests = Requests(invocation, connection, options);
  if (!requests.ok()) return invocation.Fail(requests.status());
  const size_t count = requests->size();
  std::vector<absl::StatusOr<v1::Session>> outcomes(count);
  ForEachStaggered(count, kHeadStart, [&](size_t i) {
    outcomes[i] = Create(connection, invocation, (*requests)[i]);
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

// --env NAME=VALUE
void AddEnvironment(Parser& parser,
                    std::map<std::string, std::string>& environment) {
  parser.app()
      .add_option_function<std::vector<std::string>>(
          "--env",
          [&environment](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              const size_t equals = text.find('=');
              if (equals == std::string::npos || equals == 0) {
                throw CLI::ValidationError(
                    "--env", absl::StrCat("'", EscapeForTerminal(text),
                                          "': must be NAME=VALUE"));
              }
              environment[text.substr(0, equals)] = text.substr(equals + 1);
            }
          },
          "a variable for its shell; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
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
  parser.app()
      .add_option("--cwd", options.cwd, "where its shell starts")
      ->type_name("DIRECTORY");
  parser.app()
      .add_option("--run-as", options.run_as,
                  "the account there that its shell runs as, if the computer "
                  "allows it; else what the computer's rule says")
      ->type_name("ACCOUNT");
  AddEnvironment(parser, options.environment);
  parser.app()
      .add_option_function<std::vector<std::string>>(
          "--like",
          [&options](const std::vector<std::string>& lists) {
            options.like.selectors = SplitLists(lists);
          },
          "make it like this session: same computer, configuration and "
          "settings")
      ->type_name("SESSION")
      ->allow_extra_args(false);
  options.settings.AddTo(parser);
  parser.AddFormat(options.format);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  return Work(invocation, **connection, options);
}

}  // namespace berth::cli
