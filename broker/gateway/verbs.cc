// `berth` commands for those who have no Berth, and the menu that offers them.

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/gateway/words.h"
#include "broker/gateway/work.h"
#include "cli/client/connector.h"
#include "cli/commands/command.h"

namespace berth::gateway {
namespace {

// Those that neither read nor write files of the machine they run on.
constexpr absl::string_view kVerbs[] = {
    "approval", "computers",  "configurations",
    "connect",  "disconnect", "enter",
    "ls",       "new",        "receive",
    "rm",       "wait",       "watch"};

constexpr size_t kMaxLine = 4096;

bool MayRun(const std::string& verb) {
  return std::find(std::begin(kVerbs), std::end(kVerbs), verb) !=
         std::end(kVerbs);
}

std::string Help(const std::string& user) {
  return absl::StrCat(
      "ssh ", user, "+COMPUTER@...           a shell there, until you leave\n",
      "ssh ", user, "+COMPUTER/NAME@...      the session NAME, which goes on\n",
      "ssh ", user, "+COMPUTER@... COMMAND   a command; scp and sftp, too\n",
      "ssh ", user, "@... VERB               one of:\n",
      "  approval computers configurations connect disconnect enter ls new\n",
      "  receive rm wait watch      (VERB --help says more)\n", "berth login ",
      user, "@...             a certificate for Berth's own\n",
      "                             client, which then needs no gateway\n");
}

// Everybody has the one connection that they logged in with.
class UserConnector : public cli::Connector {
 public:
  explicit UserConnector(cli::Connection& connection)
      : connection_(connection) {}

  absl::StatusOr<std::shared_ptr<cli::Connection>> Connect(
      const cli::Environment&, absl::string_view name) override {
    if (!name.empty()) {
      return absl::InvalidArgumentError(
          "--context: a gateway has only its own broker");
    }
    // The work that this belongs to holds it.
    return std::shared_ptr<cli::Connection>(std::shared_ptr<void>(),
                                            &connection_);
  }
  void WaitPresent(cli::Connection&) override {}

 private:
  cli::Connection& connection_;
};

// Runs one command line as `berth` would.
int RunWords(cli::Invocation& outer, cli::Connection& connection,
             std::vector<std::string> words, int in, int out, int err,
             const std::string& term) {
  if (!MayRun(words.front())) {
    outer.Say(absl::StrCat("'", words.front(),
                           "': a gateway does not run this; 'help' lists what "
                           "it does"));
    return 1;
  }
  UserConnector connector(connection);
  cli::Invocation::Params params{std::move(words), "/", {}, in, out, err};
  params.environment.Set("TERM", term);
  cli::Invocation invocation(std::move(params), connector);
  // What happens to the channel happens to the command.
  cli::SignalSource::Watch watch(outer.signals(), [&](bool left) {
    invocation.signals().Post(left ? cli::Signal::kGone
                                   : cli::Signal::kInterrupt);
  });
  outer.signals().OnTerminal(
      [&] { invocation.signals().Post(cli::Signal::kResized); });
  if (outer.signals().left()) return kFailed;
  const int status = cli::RunCommandLine(invocation);
  outer.signals().OnTerminal(nullptr);
  return status;
}

class Verb : public Work {
 public:
  Verb(Asked asked, std::string line)
      : asked_(std::move(asked)), line_(std::move(line)) {}

  Ended Run(cli::Invocation& invocation, cli::Connection& connection) override {
    auto words = SplitWords(line_);
    if (!words.ok()) return {invocation.Fail(words.status())};
    if (words->empty() || words->front() == "help" ||
        words->front() == "--help") {
      return {invocation.Print(Help(asked_.where.user))};
    }
    // Beside its own descriptors, those of this one.
    return {RunWords(invocation, connection, *std::move(words),
                     invocation.in_fd(), invocation.out_fd(),
                     invocation.err_fd(), asked_.term)};
  }

 private:
  const Asked asked_;
  const std::string line_;
};

class Menu : public Work {
 public:
  explicit Menu(Asked asked) : asked_(std::move(asked)) {}

  Ended Run(cli::Invocation& invocation, cli::Connection& connection) override {
    const auto run = [&](std::vector<std::string> words) {
      return RunWords(invocation, connection, std::move(words),
                      invocation.in_fd(), invocation.out_fd(),
                      invocation.err_fd(), asked_.term);
    };
    run({"computers"});
    run({"ls"});
    invocation.Print(
        "\nA computer, a computer/session, a command, or help; "
        "exit leaves.\n");
    int status = 0;
    while (const auto line = ReadLine(invocation)) {
      auto words = SplitWords(*line);
      if (!words.ok()) {
        invocation.Fail(words.status());
        continue;
      }
      if (words->empty()) continue;
      const std::string& first = words->front();
      if (first == "exit" || first == "quit" || first == "logout") break;
      if (first == "help" || first == "?") {
        invocation.Print(Help(asked_.where.user));
      } else if (MayRun(first) || words->size() > 1) {
        status = run(*std::move(words));
      } else {
        status = Visit(invocation, connection, first);
      }
    }
    return {status};
  }

 private:
  // A line from the terminal, whose own editing does. Nothing: it ended.
  std::optional<std::string> ReadLine(cli::Invocation& invocation) {
    if (invocation.Print("berth> ") != 0) return std::nullopt;
    for (;;) {
      pollfd fds[] = {{invocation.signals().left_fd(), POLLIN, 0},
                      {invocation.in_fd(), POLLIN, 0}};
      if (poll(fds, 2, -1) < 0 && errno != EINTR) return std::nullopt;
      if (invocation.signals().left()) return std::nullopt;
      if (fds[1].revents == 0) continue;
      char line[kMaxLine];
      const ssize_t size = read(invocation.in_fd(), line, sizeof(line));
      if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (size <= 0) return std::nullopt;
      return std::string(line, size);
    }
  }

  int Visit(cli::Invocation& invocation, cli::Connection& connection,
            const std::string& where) {
    const auto name =
        ParseLoginName(absl::StrCat(asked_.where.user, "+", where));
    if (!name.ok()) return invocation.Fail(name.status());
    Asked asked = asked_;
    asked.where = *name;
    return MakeShell(std::move(asked))->Run(invocation, connection).exit_status;
  }

  const Asked asked_;
};

}  // namespace

std::unique_ptr<Work> MakeVerb(Asked asked, std::string line) {
  return std::make_unique<Verb>(std::move(asked), std::move(line));
}

std::unique_ptr<Work> MakeMenu(Asked asked) {
  return std::make_unique<Menu>(std::move(asked));
}

}  // namespace berth::gateway
