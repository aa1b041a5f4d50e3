#include "cli/commands/run_options.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "cli/run/exit_status.h"

namespace berth::cli {
namespace {

// The contract's limit.
constexpr size_t kMaxScript = 1 << 20;
constexpr size_t kMaxSecret = 64 << 10;
constexpr int kFirstSecret = 30;

// What is read from the command line, before it is checked.
struct Texts {
  std::vector<std::string> selectors;
  std::vector<std::string> script;
  std::vector<std::string> environment;
  std::vector<std::string> used;
  std::vector<std::string> secrets;
  std::string file;
  std::string fail_after;
  std::string format;
  bool no_wait = false;
};

// Takes the words after "--" out of `words`: they are the script, or the
// arguments of a file, whatever they look like.
std::vector<std::string> TakeScript(std::vector<std::string>& words) {
  const auto mark = std::find(words.begin(), words.end(), "--");
  if (mark == words.end()) return {};
  std::vector<std::string> script(mark + 1, words.end());
  words.erase(mark, words.end());
  return script;
}

void AddTargets(Parser& parser, RunRequestOptions& options, Texts& texts) {
  CLI::App& app = parser.app();
  app.add_option("-s,--session", texts.selectors,
                 "which sessions: 3, 1,2, 1..3, a name, \"web*\"; of others "
                 "alice/3")
      ->type_name("SELECTOR,...")
      ->allow_extra_args(false);
  parser.AddOwner(options.query.owner);
  parser.AddComputers(options.query.computers,
                      "with -s only sessions on these computers; without it, "
                      "in a new session on each, that ends with the command");
  app.add_flag("--all", options.all, "on all computers: -c @all");
  app.add_option("--configuration", options.configuration,
                 "what to make new sessions from")
      ->type_name("NAME");
  app.add_option("--run-as", options.run_as,
                 "the account that new sessions run as, if the computer allows "
                 "it; else what that says")
      ->type_name("ACCOUNT");
}

void AddScript(Parser& parser, RunRequestOptions& options, Texts& texts) {
  CLI::App& app = parser.app();
  app.add_option("script", texts.script, "what to run, better after --");
  app.add_option("--file", texts.file,
                 "run this file of yours; what follows -- are its arguments")
      ->type_name("PATH");
  app.add_option("--env", texts.environment, "set a variable while it runs")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--using", texts.used,
                 "set a variable to what it is here; NAME=MINE takes MINE")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--secret", texts.secrets,
                 "give it this file of yours as one that no other command can "
                 "open and no log has; the variable says where")
      ->type_name("NAME=@PATH")
      ->allow_extra_args(false);
  app.add_flag("-n,--no-input", options.no_input,
               "don't pass standard input on");
}

void AddTimes(Parser& parser, RunRequestOptions& options, Texts& texts) {
  CLI::App& app = parser.app();
  parser.AddTime("--wait", options.wait,
                 "how long it may wait for a busy session (4m)");
  app.add_flag("--no-wait", texts.no_wait, "fail at once if one is busy");
  parser.AddTime("--timeout", options.timeout,
                 "interrupt a command after this time");
  parser.AddTime("--total-timeout", options.total_timeout,
                 "be done with all after this time");
  app.add_option("--throttle", options.throttle,
                 "how many at a time (32; 0 is that, too)")
      ->type_name("N");
  app.add_option("--fail-after", texts.fail_after,
                 "begin no more after so many failures")
      ->type_name("N|N%");
}

void AddOutput(Parser& parser, RunRequestOptions& options, Texts& texts) {
  CLI::App& app = parser.app();
  CLI::Option* gather = app.add_flag(
      "-b,--gather", options.gather,
      "at the end, and what is the same only once for all who printed it");
  CLI::Option* diff =
      app.add_flag("--diff", options.diff,
                   "as --gather, as differences from the most common output")
          ->excludes(gather);
  app.add_option("--outdir", options.out_dir,
                 "into files there: web01.out, web01.err, web01.status")
      ->type_name("DIRECTORY");
  app.add_option("-o,--output", texts.format, "jsonl: as JSON, line by line")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"jsonl"}))
      ->excludes(gather)
      ->excludes(diff);
  app.add_flag("--no-prefix", options.no_prefix,
               "no \"computer: \" before lines");
  app.add_option("--color", options.colour,
                 "colour them: auto (on a terminal), always or never")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  app.add_flag("-q,--quiet", options.quiet, "no summary if all went well");
}

void AddRest(Parser& parser, RunRequestOptions& options) {
  CLI::App& app = parser.app();
  CLI::Option* detach =
      app.add_flag("--detach", options.detach,
                   "print the command's id and leave it running");
  app.add_option("--job", options.job_name,
                 "leave it running everywhere, as a job to look after with "
                 "'berth jobs'")
      ->type_name("[NAME]")
      ->expected(0, 1)
      ->excludes(detach);
  app.add_flag("--exit-ends-session", options.exit_ends_session,
               "'exit' ends the session, not only the command");
  parser.AddContext();
}

absl::Status ReadVariables(const Environment& environment, const Texts& texts,
                           ScriptParts& script) {
  for (const std::string& text : texts.environment) {
    const size_t equals = text.find('=');
    if (equals == text.npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("--env '", EscapeForTerminal(text.substr(0, 80)),
                       "': write it as NAME=VALUE"));
    }
    const std::string name = text.substr(0, equals);
    BERTH_RETURN_IF_ERROR(CheckVariable(name));
    script.variables[name] = text.substr(equals + 1);
  }
  for (const std::string& text : texts.used) {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string mine =
        equals == text.npos ? name : text.substr(equals + 1);
    BERTH_RETURN_IF_ERROR(CheckVariable(name));
    BERTH_RETURN_IF_ERROR(CheckVariable(mine));
    const auto it = environment.variables().find(mine);
    if (it == environment.variables().end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--using ", mine,
                       ": not set here, or not exported; nothing was run"));
    }
    script.variables[name] = it->second;
  }
  return absl::OkStatus();
}

// Each is told by a variable, in the order that the contract gives them.
absl::Status ReadSecrets(Invocation& invocation, const Texts& texts,
                         RunRequestOptions& options) {
  for (const std::string& text : texts.secrets) {
    const size_t at = text.find("=@");
    // Not even a part of it is shown: it may be the secret itself.
    if (at == text.npos) {
      return absl::InvalidArgumentError(
          "--secret: write it as NAME=@PATH; what is on the command line "
          "others can see");
    }
    const std::string name = text.substr(0, at);
    BERTH_RETURN_IF_ERROR(CheckVariable(name));
    const std::string path = invocation.AbsolutePath(text.substr(at + 2));
    BERTH_ASSIGN_OR_RETURN(options.secrets[name], ReadFile(path, kMaxSecret));
  }
  int descriptor = kFirstSecret;
  for (const auto& [name, bytes] : options.secrets) {
    options.script.variables[name] = absl::StrCat("/dev/fd/", descriptor++);
  }
  return absl::OkStatus();
}

absl::Status ReadScript(const Invocation& invocation, const Texts& texts,
                        std::vector<std::string> after_mark,
                        ScriptParts& script) {
  std::vector<std::string> words = texts.script;
  words.insert(words.end(), after_mark.begin(), after_mark.end());
  if (texts.file.empty()) {
    script.text = absl::StrJoin(words, " ");
    if (script.text.empty()) {
      return absl::InvalidArgumentError(
          "no command: write it after --, as in 'berth run -s 1 -- uptime'");
    }
  } else {
    BERTH_ASSIGN_OR_RETURN(
        script.text, ReadFile(invocation.AbsolutePath(texts.file), kMaxScript));
    script.is_file = true;
    script.arguments = std::move(words);
  }
  if (script.text.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        "the script has a NUL byte, which no shell can read");
  }
  if (script.text.size() > kMaxScript) {
    return absl::InvalidArgumentError(
        "the script is over 1 MiB; send it as input: berth run -s 1 -- 'bash "
        "-s' < script");
  }
  return absl::OkStatus();
}

absl::Status Check(Invocation& invocation, const Texts& texts,
                   std::vector<std::string> after_mark,
                   RunRequestOptions& options) {
  options.query.selectors = SplitLists(texts.selectors);
  if (!options.query.owner.empty() && options.query.selectors.empty()) {
    return absl::InvalidArgumentError(
        "--owner says whose sessions -s means, and there is no -s");
  }
  if (options.all) options.query.computers.push_back("@all");
  if (options.query.selectors.empty() && options.query.computers.empty()) {
    return absl::InvalidArgumentError(
        "no session named: use -s, as in 'berth run -s 1 -- uptime', or -c "
        "for a new one on a computer; 'berth new -c NAME' makes one that "
        "stays");
  }
  if (!options.query.selectors.empty() &&
      !(options.run_as.empty() && options.configuration.empty())) {
    return absl::InvalidArgumentError(
        "--run-as and --configuration are for sessions that are made: leave "
        "out -s, and name computers with -c; or give them to 'berth new'");
  }
  BERTH_RETURN_IF_ERROR(
      ReadScript(invocation, texts, std::move(after_mark), options.script));
  BERTH_RETURN_IF_ERROR(
      ReadVariables(invocation.environment(), texts, options.script));
  BERTH_RETURN_IF_ERROR(ReadSecrets(invocation, texts, options));
  if (texts.no_wait) options.wait = absl::ZeroDuration();
  if (!texts.fail_after.empty()) {
    BERTH_ASSIGN_OR_RETURN(options.fail_after,
                           FailAfter::Parse(texts.fail_after));
  }
  if (!options.out_dir.empty()) {
    options.out_dir = invocation.AbsolutePath(options.out_dir);
  }
  options.json_lines = !texts.format.empty();
  return absl::OkStatus();
}

}  // namespace

std::optional<int> ReadRunOptions(Invocation& invocation, Parser& parser,
                                  std::vector<std::string> words,
                                  RunRequestOptions& options) {
  Texts texts;
  std::vector<std::string> after_mark = TakeScript(words);
  AddTargets(parser, options, texts);
  AddScript(parser, options, texts);
  AddTimes(parser, options, texts);
  AddOutput(parser, options, texts);
  AddRest(parser, options);
  if (const auto exit =
          parser.Parse(invocation, std::move(words), kFailedExit)) {
    return exit;
  }
  options.job = parser.app().count("--job") > 0;
  options.detach = options.detach || options.job;
  const absl::Status status =
      Check(invocation, texts, std::move(after_mark), options);
  if (status.ok()) return std::nullopt;
  return invocation.Fail(status, kFailedExit);
}

}  // namespace berth::cli
