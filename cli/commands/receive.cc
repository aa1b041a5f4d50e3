#include "cli/commands/receive.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/commands/parser.h"
#include "cli/commands/targets.h"
#include "cli/jobs/follow.h"
#include "cli/jobs/store.h"
#include "cli/run/exit_status.h"
#include "cli/run/follower.h"
#include "cli/run/output_sink.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Prints what commands of a session printed and nobody received yet, and\n"
    "follows one that still runs. Ctrl-C leaves; the command goes on. With\n"
    "--tail, --stdout or --stderr it only looks on: what it prints does not\n"
    "count as received.\n\n"
    "Examples:\n"
    "  berth receive 2\n"
    "  berth receive %1                  # of all targets of a job\n"
    "  berth receive 2 --from-start      # the latest command's output again\n"
    "  berth receive 2 --no-follow       # only what is there\n"
    "  berth receive 2 --tail 20 --follow\n"
    "  berth receive 2 --command 5cba8a6f-0c1c-4a3f-8a55-2f1b6a4b7a10\n";

// A stream that is left lives for 3 seconds at most, on a busy machine longer.
// It is not waited for in vain: what it wrote is known from when it is left.
constexpr absl::Duration kLeavingTimeout = absl::Seconds(20);

struct Options {
  std::string command_id;
  bool from_start = false;
  std::optional<uint64_t> from;
  bool no_follow = false;
  bool follow = false;
  std::optional<uint32_t> tail;
  v1::OutputStream stream = v1::OUTPUT_STREAM_UNSPECIFIED;

  // Not all of what was selected is printed, so nothing is acknowledged.
  bool only_looks() const {
    return tail.has_value() || stream != v1::OUTPUT_STREAM_UNSPECIFIED;
  }
};

v1::OpenReceive MakeOpen(const Options& options, const Target& target,
                         const Connection& connection) {
  v1::OpenReceive open;
  *open.mutable_session() = target.ref;
  *open.mutable_client() = connection.client();
  open.set_command_id(options.command_id);
  open.set_no_follow(options.no_follow);
  if (options.from) open.set_from_offset(*options.from);
  if (options.from_start) open.set_from_offset(0);
  if (options.tail) {
    open.set_tail_lines(*options.tail);
    open.set_from_offset(0);  // Of the latest command, unless one is named.
  }
  open.set_stream(options.stream);
  open.set_follow_session(options.follow);
  return open;
}

// Its status is not that of `receive`, which has done what it was asked to.
void TellEnd(Invocation& invocation, const Target& target,
             const v1::CommandEnded& ended) {
  std::string how = DescribeEnd(ended);
  if (how.empty() && ended.exit_code() != 0) {
    how = absl::StrCat("the command ended with status ", ended.exit_code());
  }
  if (how.empty()) return;
  invocation.Say(absl::StrCat("session '", target.name, "': ", how));
}

int Work(Invocation& invocation, Connection& connection, const Target& target,
         const Options& options) {
  // What a run that is being left has written is not to be sent again.
  invocation.connector().leaving().WaitForNone(kLeavingTimeout);
  ExactSink sink(invocation.out(), invocation.err());
  CommandView view(invocation, sink);
  if (options.only_looks()) {
    view.Peek();
  } else if (!options.from && !options.from_start) {
    view.GoOn();
  }
  const ReceiveConversation conversation(MakeOpen(options, target, connection),
                                         options.only_looks());
  Follower follower(connection, invocation, conversation, view, nullptr);
  const absl::Status status = follower.Run();
  if (follower.failed_to_write()) {
    if (absl::IsAborted(status)) return kPipeExit;
    invocation.Say(status.message());
    return kFailedExit;
  }
  if (!status.ok()) return invocation.Fail(status);
  if (view.ended()) TellEnd(invocation, target, *view.ended());
  return 0;
}

int WorkOnJob(Invocation& invocation, Connection& connection,
              const jobs::Job& job, const Options& options) {
  return ReceiveJob(invocation, connection, job, options.from_start,
                    options.no_follow);
}

int WorkOnAll(Invocation& invocation, Connection& connection,
              const SessionQuery& query, const Options& options) {
  const Targets found = FindTargets(connection, invocation, query);
  if (options.follow && found.targets.size() > 1) {
    return invocation.Fail(absl::InvalidArgumentError(absl::StrCat(
        "--follow goes on with one session for ever; these are ",
        found.targets.size(), ": name one, or use 'berth watch'")));
  }
  int exit = found.status.ok() ? 0 : invocation.Fail(found.status);
  for (const Target& target : found.targets) {
    exit = std::max(exit, Work(invocation, connection, target, options));
    if (invocation.signals().left()) break;
  }
  return exit;
}

}  // namespace

int RunReceive(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  Options options;
  Parser parser("receive", "Reads what commands printed.", kExamples);
  parser.AddSelectors(query, "which sessions, one after another");
  parser.app().add_option("--command", options.command_id,
                          "only this command, by its id");
  CLI::Option* start = parser.app().add_flag(
      "--from-start", options.from_start,
      "from the first byte of the command, else of the latest");
  parser.app()
      .add_option("--from", options.from, "from this byte of its output")
      ->type_name("OFFSET")
      ->excludes(start);
  CLI::Option* no_follow =
      parser.app().add_flag("--no-follow", options.no_follow,
                            "don't wait for a command that still runs");
  parser.app()
      .add_flag("--follow", options.follow,
                "go on with the commands that start later")
      ->excludes(no_follow);
  parser.app()
      .add_option("--tail", options.tail,
                  "only the last lines of the command, else of the latest")
      ->type_name("LINES")
      ->check(CLI::Range(0, 1000000))
      ->excludes(start)
      ->excludes("--from");
  CLI::Option* out = parser.app().add_flag(
      "--stdout", [&](int64_t) { options.stream = v1::OUTPUT_STREAM_STDOUT; },
      "only standard output");
  parser.app()
      .add_flag(
          "--stderr",
          [&](int64_t) { options.stream = v1::OUTPUT_STREAM_STDERR; },
          "only standard error")
      ->excludes(out);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  if (query.selectors.size() == 1 && IsJobName(query.selectors[0])) {
    const auto job = FindJob(invocation.environment(), query.selectors[0]);
    if (!job.ok()) return invocation.Fail(job.status());
    return WorkOnJob(invocation, **connection, *job, options);
  }
  if (query.selectors.size() == 1) {
    // The sessions of a job have its name, so that means no single one.
    const auto job = FindJob(invocation.environment(), query.selectors[0]);
    if (job.ok() && job->name() == query.selectors[0] &&
        job->targets_size() > 1) {
      return WorkOnJob(invocation, **connection, *job, options);
    }
  }
  return WorkOnAll(invocation, **connection, query, options);
}

}  // namespace berth::cli
