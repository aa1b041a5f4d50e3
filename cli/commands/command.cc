#include "cli/commands/command.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/commands/admin.h"
#include "cli/commands/agent.h"
#include "cli/commands/approval.h"
#include "cli/commands/complete.h"
#include "cli/commands/completion.h"
#include "cli/commands/computers.h"
#include "cli/commands/configurations.h"
#include "cli/commands/connect.h"
#include "cli/commands/context.h"
#include "cli/commands/cp.h"
#include "cli/commands/disconnect.h"
#include "cli/commands/doctor.h"
#include "cli/commands/enter.h"
#include "cli/commands/help.h"
#include "cli/commands/jobs.h"
#include "cli/commands/login.h"
#include "cli/commands/ls.h"
#include "cli/commands/new.h"
#include "cli/commands/parser.h"
#include "cli/commands/receive.h"
#include "cli/commands/recordings.h"
#include "cli/commands/rm.h"
#include "cli/commands/run.h"
#include "cli/commands/ssh_config.h"
#include "cli/commands/wait.h"
#include "cli/commands/watch.h"

namespace berth::cli {
namespace {

constexpr Command kCommands[] = {
    {"new", "make sessions on computers", RunNew},
    {"ls", "list your sessions", RunLs},
    {"run", "run a command in sessions", RunRun},
    {"enter", "sit down at a session's shell", RunEnter},
    {"jobs", "list commands that run on many targets", RunJobs},
    {"receive", "read what commands printed", RunReceive},
    {"wait", "wait for what happens in sessions", RunWait},
    {"watch", "print what happens to sessions", RunWatch},
    {"cp", "copy files to sessions and from there", RunCp},
    {"disconnect", "let go of sessions; they go on", RunDisconnect},
    {"connect", "connect to sessions again", RunConnect},
    {"rm", "end sessions", RunRm},
    {"recordings", "list and check recordings of sessions", RunRecordings},
    {"play", "play a session's recording", RunPlay},
    {"export", "write a session's recording to a file", RunExport},
    {"computers", "list the computers of the fleet", RunComputers},
    {"ssh-config", "print what lets ssh reach computers by a gateway",
     RunSshConfig},
    {"configurations", "list what sessions can be made from",
     RunConfigurations},
    {"approval", "ask for what takes the agreement of others, and agree",
     RunApproval},
    {"agent", "install agents on computers, and upgrade them", RunAgent},
    {"login", "log in with your SSH key, or a token", RunLoginCommand},
    {"logout", "revoke the certificate of the last login", RunLogout},
    {"context", "manage the brokers you talk to", RunContext},
    {"admin", "for administrators: join tokens, users", RunAdmin},
    {"doctor", "say whether the broker can be reached, or why not", RunDoctor},
    {"completion", "print what lets a shell complete", RunCompletion},
    {"help", "print help about a command or a topic", RunHelp},
};

// "berth --context prod ls" is "berth ls --context prod".
void MoveOptionsBehindVerb(std::vector<std::string>& words) {
  auto verb = words.begin();
  while (verb != words.end() && absl::StartsWith(*verb, "--")) {
    const bool takes_next = *verb == "--context" && verb + 1 != words.end();
    verb += takes_next ? 2 : 1;
  }
  if (verb != words.end()) std::rotate(words.begin(), verb, verb + 1);
}

}  // namespace

absl::Span<const Command> AllCommands() { return kCommands; }

std::string HelpText() {
  std::string text =
      "Berth keeps shell sessions alive on the machines they run on.\n"
      "Usage: berth [--no-keeper] [--version] COMMAND [OPTIONS]\n\n"
      "Commands:\n";
  for (const Command& command : kCommands) {
    absl::StrAppendFormat(&text, "  %-14s %s\n", command.name, command.summary);
  }
  absl::StrAppend(
      &text,
      absl::StrFormat("  %-14s %s\n", "keeper",
                      "status and end of the process behind 'berth'"),
      "\n'berth COMMAND --help' says more, and 'berth help' lists topics.\n"
      "BERTH_KEEPER=off is --no-keeper.\n");
  return text;
}

std::string VerbOf(std::vector<std::string> args) {
  MoveOptionsBehindVerb(args);
  return args.empty() ? "" : args.front();
}

int RunCommandLine(Invocation& invocation) {
  std::vector<std::string> words = invocation.args();
  MoveOptionsBehindVerb(words);
  if (words.empty()) {
    invocation.Say("no command; see 'berth --help'");
    return kUsageExit;
  }
  const std::string name = std::move(words.front());
  words.erase(words.begin());
  // Not for people: what the scripts of `completion` call.
  if (name == "complete") return RunComplete(invocation, std::move(words));
  for (const Command& command : kCommands) {
    if (name == command.name) return command.run(invocation, std::move(words));
  }
  invocation.Say(
      absl::StrCat("'", name, "': not a command; see 'berth --help'"));
  return kUsageExit;
}

}  // namespace berth::cli
