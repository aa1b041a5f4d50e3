#include "cli/commands/run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands/parallel.h"
#include "cli/commands/parser.h"
#include "cli/commands/run_target.h"
#include "cli/commands/targets.h"
#include "cli/run/exit_status.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "The script runs in the session's own shell, as if typed there. Ctrl-C\n"
    "interrupts it; a second Ctrl-C leaves it running. Ends with its status;\n"
    "of several, the largest; 125 if Berth failed, 124 if a deadline "
    "passed.\n\n"
    "Examples:\n"
    "  berth run -s 1 -- 'cd /var/log; ls'\n"
    "  berth run -s 1,2,3 -- uptime\n"
    "  tar c . | berth run -s 1 -- 'tar x -C /srv/in'\n"
    "  berth run -s 2 --detach -- 'make -j8 all'\n";

// The contract's limit.
constexpr size_t kMaxScript = 1 << 20;

// Takes the words after "--" out of `words`: they are the script, whatever
// they look like.
std::vector<std::string> TakeScript(std::vector<std::string>& words) {
  const auto mark = std::find(words.begin(), words.end(), "--");
  if (mark == words.end()) return {};
  std::vector<std::string> script(mark + 1, words.end());
  words.erase(mark, words.end());
  return script;
}

absl::Status Check(const SessionQuery& query, const std::string& script) {
  if (query.selectors.empty()) {
    return absl::InvalidArgumentError(
        "no session named: use -s, as in 'berth run -s 1 -- uptime'; 'berth "
        "new -c NAME' makes one");
  }
  if (script.empty()) {
    return absl::InvalidArgumentError(
        "no command: write it after --, as in 'berth run -s 1 -- uptime'");
  }
  if (script.size() > kMaxScript) {
    return absl::InvalidArgumentError(
        "the script is over 1 MiB; send it as input: berth run -s 1 -- 'bash "
        "-s' < script");
  }
  return absl::OkStatus();
}

// "web01: ", or "web01/3: " where web01 has several of the targets.
std::string Tag(const std::vector<Target>& targets, const Target& target) {
  const std::string& computer = target.session.computer();
  const auto same = std::count_if(
      targets.begin(), targets.end(),
      [&](const Target& t) { return t.session.computer() == computer; });
  return same == 1 ? absl::StrCat(computer, ": ")
                   : absl::StrCat(computer, "/", target.session.id(), ": ");
}

int RunOnAll(Invocation& invocation, Connection& connection,
             const std::vector<Target>& targets, const RunOptions& options,
             bool tagged) {
  std::vector<int> exits(targets.size(), 0);
  ForEachInParallel(targets.size(), [&](size_t i) {
    const std::string tag = tagged ? Tag(targets, targets[i]) : "";
    exits[i] = RunOnTarget(invocation, connection, targets[i], options, tag);
  });
  return exits.empty() ? 0 : *std::max_element(exits.begin(), exits.end());
}

}  // namespace

int RunRun(Invocation& invocation, std::vector<std::string> words) {
  SessionQuery query;
  RunOptions options;
  std::vector<std::string> selectors;
  std::vector<std::string> script;
  const std::vector<std::string> after_mark = TakeScript(words);
  bool no_wait = false;
  bool no_prefix = false;
  Parser parser("run", "Runs a command in sessions.", kExamples);
  CLI::App& app = parser.app();
  app.add_option("-s,--session", selectors,
                 "which sessions: 3, 1,2, 1..3, a name, \"web*\"")
      ->type_name("SELECTOR,...")
      ->allow_extra_args(false);
  parser.AddComputers(query.computers, "only sessions on these computers");
  app.add_option("script", script, "what to run, better after --");
  app.add_flag("--detach", options.detach,
               "print the command's id and leave it running");
  parser.AddTime("--wait", options.wait,
                 "how long it may wait for a busy session (4m)");
  app.add_flag("--no-wait", no_wait, "fail at once if the session is busy");
  parser.AddTime("--timeout", options.timeout, "interrupt it after this time");
  app.add_flag("--no-prefix", no_prefix, "no \"computer: \" before lines");
  app.add_flag("--exit-ends-session", options.exit_ends_session,
               "'exit' ends the session, not only the command");
  parser.AddContext();
  if (const auto exit =
          parser.Parse(invocation, std::move(words), kFailedExit)) {
    return *exit;
  }
  query.selectors = SplitLists(selectors);
  script.insert(script.end(), after_mark.begin(), after_mark.end());
  options.script = absl::StrJoin(script, " ");
  if (no_wait) options.wait = absl::ZeroDuration();
  if (absl::Status status = Check(query, options.script); !status.ok()) {
    return invocation.Fail(status, kFailedExit);
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok())
    return invocation.Fail(connection.status(), kFailedExit);
  const Targets found = FindTargets(**connection, invocation, query);
  if (!found.status.ok()) return invocation.Fail(found.status, kFailedExit);
  invocation.signals().ForwardInterrupts();
  options.alone = found.targets.size() == 1;
  const bool tagged = found.targets.size() > 1 && !no_prefix;
  return RunOnAll(invocation, **connection, found.targets, options, tagged);
}

}  // namespace berth::cli
