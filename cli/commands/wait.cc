#include "cli/commands/wait.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/client/session_watcher.h"
#include "cli/client/sessions.h"
#include "cli/commands/parallel.h"
#include "cli/commands/parser.h"
#include "cli/invocation/deadline.h"
#include "cli/jobs/follow.h"
#include "cli/jobs/store.h"
#include "cli/run/exit_status.h"
#include "cli/run/follower.h"
#include "cli/run/line_matcher.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "--until says what to wait for:\n"
    "  exit          the command that runs ends, or the latest has ended; "
    "ends\n"
    "                with its status, of several with the largest\n"
    "  idle          the shell is at its prompt and no command waits\n"
    "  output REGEX  a line that the running command, or a later one, prints\n"
    "                matches a POSIX extended regular expression; the line is\n"
    "                printed\n"
    "Ends with 124 when --timeout has passed, 125 if that can't come any "
    "more.\n"
    "What is waited for does not count as received.\n\n"
    "Examples:\n"
    "  berth wait 3\n"
    "  berth wait 1..3 --until idle --timeout 5m\n"
    "  berth wait %1                     # a job, see 'berth jobs'\n"
    "  berth wait web --until output 'listening on port [0-9]+'\n";

enum class Until { kExit, kIdle, kOutput };

struct Options {
  Until until = Until::kExit;
  std::string expression;
  std::string command_id;
};

// "--until output REGEX" has two values, and CLI11 can't tell the second from
// a session.
void TakeExpression(std::vector<std::string>& words, std::string& expression) {
  for (size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i] == "--until" && words[i + 1] == "output") {
      expression = words[i + 2];
      words.erase(words.begin() + i + 2);
      return;
    }
  }
}

// Receives until something has come.
class WaitConversation : public ReceiveConversation {
 public:
  // `matcher`: until it has matched; null: until the command's end.
  WaitConversation(v1::OpenReceive open, const LineMatcher* matcher)
      : ReceiveConversation(std::move(open), /*only_reads=*/true),
        matcher_(matcher) {}

  bool IsComplete(const CommandView& view) const override {
    return matcher_ != nullptr ? matcher_->match().has_value()
                               : view.ended().has_value();
  }
  bool MayEnd(const CommandView& view) const override {
    // A session that has ended says nothing more.
    return matcher_ != nullptr || IsComplete(view);
  }

 private:
  const LineMatcher* const matcher_;
};

// Takes no output, as none is asked for.
class NoSink : public OutputSink {
 public:
  absl::Status Write(v1::OutputStream, uint64_t offset, absl::Span<iovec>,
                     size_t size) override {
    at_ = offset + size;
    return absl::OkStatus();
  }
  absl::Status Flush() override { return absl::OkStatus(); }
  void StartAt(uint64_t offset) override { at_ = offset; }
  uint64_t written() const override { return at_; }

 private:
  uint64_t at_ = 0;
};

// Waits in one session.
class Waiter {
 public:
  Waiter(Invocation& invocation, Connection& connection,
         const v1::Session& session, const Options& options)
      : invocation_(invocation),
        connection_(connection),
        session_(session),
        options_(options) {}

  // The exit status to end with.
  absl::StatusOr<int> ForExit() {
    std::string command = options_.command_id;
    if (command.empty()) {
      if (session_.activity().kind() == v1::Activity::TERMINAL ||
          session_.activity().kind() == v1::Activity::REPLACED) {
        return ForTyped();
      }
      command = session_.activity().command_id();
    }
    if (command.empty()) command = session_.last_command().command_id();
    v1::OpenReceive open = Open(command, /*all=*/false);
    // The broker may not have heard yet of what has just begun there: then the
    // session says what its latest command is.
    open.set_from_offset(0);
    open.set_tail_lines(0);
    NoSink sink;
    CommandView view(invocation_, sink);
    const absl::Status followed = Follow(std::move(open), view, nullptr);
    if (absl::IsNotFound(followed) && command.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(Name(), ": nothing runs in it, and nothing was run"));
    }
    BERTH_RETURN_IF_ERROR(followed);
    if (!view.ended()) return absl::UnknownError("the command has no end");
    const std::string how = DescribeEnd(*view.ended());
    if (!how.empty()) invocation_.Say(absl::StrCat(Name(), ": ", how));
    return ExitStatusOf(*view.ended());
  }

  absl::StatusOr<int> ForOutput() {
    BERTH_ASSIGN_OR_RETURN(const std::unique_ptr<LineMatcher> matcher,
                           LineMatcher::Make(options_.expression));
    CommandView view(invocation_, *matcher);
    const std::string& running = session_.activity().command_id();
    const bool runs = !running.empty() && options_.command_id.empty();
    const std::string command = !options_.command_id.empty()
                                    ? options_.command_id
                                : runs ? running
                                       : session_.last_command().command_id();
    const bool all = runs || !options_.command_id.empty();
    BERTH_RETURN_IF_ERROR(Follow(Open(command, all), view, matcher.get()));
    if (!matcher->match()) {
      return absl::FailedPreconditionError(absl::StrCat(
          Name(), ": it has ended, and no line of its output matched"));
    }
    return invocation_.Print(absl::StrCat(*matcher->match(), "\n"));
  }

 private:
  // Of what was typed there is no status: its end is all.
  absl::StatusOr<int> ForTyped() {
    SessionQuery query;
    query.selectors.push_back(session_.instance_id());
    query.owner = session_.owner();
    SessionWatcher watcher(connection_, invocation_, std::move(query));
    BERTH_RETURN_IF_ERROR(watcher.Run([](const v1::SessionEvent& event) {
      const v1::Activity::Kind kind = event.session().activity().kind();
      const bool out_of_reach =
          event.session().state() == v1::SESSION_STATE_BROKEN;
      return out_of_reach ||
             (event.session().state() != v1::SESSION_STATE_CLOSED &&
              event.kind() != v1::SessionEvent::REMOVED &&
              event.kind() != v1::SessionEvent::ENDED &&
              (kind == v1::Activity::TERMINAL ||
               kind == v1::Activity::REPLACED));
    }));
    return 0;
  }

  // `all`: its output, too; else only the end.
  v1::OpenReceive Open(const std::string& command, bool all) const {
    v1::OpenReceive open;
    *open.mutable_session() = RefOf(session_);
    *open.mutable_client() = connection_.client();
    open.set_command_id(command);
    if (!command.empty()) {
      open.set_from_offset(0);
      if (!all) open.set_tail_lines(0);
    }
    open.set_follow_session(options_.until == Until::kOutput);
    return open;
  }

  absl::Status Follow(v1::OpenReceive open, CommandView& view,
                      const LineMatcher* matcher) {
    view.Peek();
    const WaitConversation conversation(std::move(open), matcher);
    return Follower(connection_, invocation_, conversation, view, nullptr)
        .Run();
  }

  std::string Name() const { return absl::StrCat("session ", session_.id()); }

  Invocation& invocation_;
  Connection& connection_;
  const v1::Session& session_;
  const Options& options_;
};

// Waits until every session was seen idle. They need not be so all at once.
absl::Status WaitIdle(Invocation& invocation, Connection& connection,
                      const std::vector<v1::Session>& sessions) {
  SessionQuery query;
  std::set<std::string> left;
  for (const v1::Session& session : sessions) {
    query.selectors.push_back(session.instance_id());
    query.owner = session.owner();  // The same of all.
    left.insert(session.instance_id());
  }
  absl::Status failure;
  SessionWatcher watcher(connection, invocation, std::move(query));
  const absl::Status status = watcher.Run([&](const v1::SessionEvent& event) {
    const v1::Session& session = event.session();
    const bool gone = session.state() == v1::SESSION_STATE_CLOSED ||
                      event.kind() == v1::SessionEvent::REMOVED;
    const bool idle = session.activity().kind() == v1::Activity::IDLE &&
                      session.activity().queued() == 0;
    if ((gone || idle) && left.erase(session.instance_id()) > 0 && gone) {
      failure = absl::FailedPreconditionError(absl::StrCat(
          "session ", session.id(),
          session.state() == v1::SESSION_STATE_CLOSED
              ? " has ended"
              : " is gone: it was removed, or you may not see it any more"));
    }
    return !left.empty();
  });
  return status.ok() ? failure : status;
}

int WaitEach(Invocation& invocation, Connection& connection,
             const std::vector<v1::Session>& sessions, const Options& options) {
  std::vector<int> exits(sessions.size(), 0);
  ForEachInParallel(sessions.size(), [&](size_t i) {
    Waiter waiter(invocation, connection, sessions[i], options);
    const absl::StatusOr<int> exit =
        options.until == Until::kExit ? waiter.ForExit() : waiter.ForOutput();
    exits[i] = exit.ok() ? *exit
               : invocation.signals().left()
                   ? 0  // Told once, for all.
                   : invocation.Fail(exit.status(), kFailedExit);
  });
  return *std::max_element(exits.begin(), exits.end());
}

int Work(Invocation& invocation, Connection& connection,
         const SessionQuery& query, const Options& options,
         std::optional<absl::Duration> timeout) {
  const Deadline deadline(invocation.signals(), timeout);
  const SessionList list =
      ListSessions(connection, invocation.signals(), query);
  int exit = 0;
  if (!list.status.ok()) {
    exit = invocation.Fail(list.status, kFailedExit);
  } else if (!list.sessions.empty() && options.until == Until::kIdle) {
    const absl::Status status = WaitIdle(invocation, connection, list.sessions);
    if (!status.ok() && !invocation.signals().left()) {
      exit = invocation.Fail(status, kFailedExit);
    }
  } else if (!list.sessions.empty()) {
    exit = WaitEach(invocation, connection, list.sessions, options);
  }
  if (deadline.passed()) {
    invocation.Say("the time is over, and it has not come");
    return kDeadlineExit;
  }
  return invocation.signals().left() ? invocation.signals().exit_code() : exit;
}

absl::StatusOr<Until> ParseUntil(const std::string& text) {
  if (text == "exit") return Until::kExit;
  if (text == "idle") return Until::kIdle;
  if (text == "output") return Until::kOutput;
  return absl::InvalidArgumentError(
      "--until takes exit, idle, or output and a regular expression");
}

absl::Status Check(const SessionQuery& query, const Options& options) {
  if (query.selectors.empty()) {
    return absl::InvalidArgumentError(
        "no session named: give an id, a name or \"*\" (see 'berth ls')");
  }
  if (options.until == Until::kOutput) {
    if (options.expression.empty()) {
      return absl::InvalidArgumentError(
          "--until output needs a regular expression behind it");
    }
    BERTH_RETURN_IF_ERROR(LineMatcher::Make(options.expression).status());
  }
  return CheckSelectors(query.selectors);
}

}  // namespace

int RunWait(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  Options options;
  std::string until = "exit";
  std::optional<absl::Duration> timeout;
  TakeExpression(words, options.expression);
  Parser parser("wait", "Waits for what happens in sessions.", kExamples);
  parser.AddSelectors(query, "which sessions");
  parser.app()
      .add_option("--until", until, "exit (the default), idle, output REGEX")
      ->type_name("WHAT");
  parser.app()
      .add_option("--command", options.command_id,
                  "this command, by its id, and not the one that runs")
      ->type_name("ID");
  parser.AddTime("--timeout", timeout, "give up after this time");
  parser.AddContext();
  if (const auto exit =
          parser.Parse(invocation, std::move(words), kFailedExit)) {
    return *exit;
  }
  const absl::StatusOr<Until> parsed = ParseUntil(until);
  if (!parsed.ok()) return invocation.Fail(parsed.status(), kFailedExit);
  options.until = *parsed;
  const bool for_job =
      query.selectors.size() == 1 && IsJobName(query.selectors[0]);
  if (absl::Status status = for_job ? absl::OkStatus() : Check(query, options);
      !status.ok()) {
    return invocation.Fail(status, kFailedExit);
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) {
    return invocation.Fail(connection.status(), kFailedExit);
  }
  if (for_job) {
    const auto job = FindJob(invocation.environment(), query.selectors[0]);
    if (!job.ok()) return invocation.Fail(job.status(), kFailedExit);
    return WaitForJob(invocation, **connection, *job, timeout);
  }
  return Work(invocation, **connection, query, options, timeout);
}

}  // namespace berth::cli
