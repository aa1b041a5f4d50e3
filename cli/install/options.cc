#include "cli/install/options.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "base/escape.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "cli/commands/parser.h"
#include "cli/ssh/target.h"

namespace berth::cli {
namespace {

constexpr size_t kMaxParallel = 256;

void AddWhere(CLI::App& command, std::string& prefix,
              std::string& state_directory) {
  command
      .add_option("--prefix", prefix,
                  "the programs go below it, into bin (/usr/local; of users "
                  "but root ~/.local)")
      ->type_name("DIRECTORY");
  command
      .add_option("--state-dir", state_directory,
                  "the agent's key and sessions (/var/lib/berth/agent; of "
                  "users but root ~/.local/state/berth/agent)")
      ->type_name("DIRECTORY");
}

void AddPace(CLI::App& command, const std::string& what, size_t& parallel,
             std::optional<absl::Duration>& timeout) {
  command.add_option("--parallel", parallel, what)
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, kMaxParallel));
  Parser::AddTime(command, "--timeout", timeout, "what each may take (5m)");
}

absl::Status CheckPaths(std::initializer_list<const std::string*> paths) {
  for (const std::string* path : paths) {
    if (!path->empty() && path->front() != '/') {
      return absl::InvalidArgumentError(
          absl::StrCat("'", EscapeForTerminal(*path),
                       "': must be an absolute path, as it is over there"));
    }
  }
  return absl::OkStatus();
}

void AddHow(CLI::App& command, InstallOptions& options) {
  command.add_option("--via", options.via, "go through this jump host")
      ->type_name("[USER@]HOST[:PORT]");
  command
      .add_option("-i,--identity", options.identities,
                  "private key to log in with, before those of ssh-agent and "
                  "~/.ssh; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      .add_option("--known-hosts", options.known_hosts,
                  "known host keys (~/.ssh/known_hosts)")
      ->type_name("FILE");
  command.add_flag("--accept-new", options.accept_new,
                   "believe hosts of which no key is known, and note theirs; a "
                   "key that changed is never believed");
  command.add_flag("--sudo", options.sudo,
                   "become root there with 'sudo -n'; else an agent that "
                   "another user installs is that user's own");
  AddPace(command, "hosts at a time (8)", options.parallel, options.timeout);
}

void AddWhat(CLI::App& command, InstallOptions& options) {
  command.add_option("--name", options.name,
                     "the computer's name in the fleet, if it is one host; "
                     "else what stands before '=', or its own host name");
  command
      .add_option("--label", options.labels,
                  "shown with the computers; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      .add_option("--broker", options.broker,
                  "how the computers reach the broker; else as you do")
      ->type_name("HOST:PORT");
  command
      .add_option("--agent-config", options.agent_config,
                  "the agent.toml for computers that have none; else one by "
                  "which sessions run as the account of their user's name")
      ->type_name("FILE");
  AddWhere(command, options.prefix, options.state_directory);
  command.add_flag("--plain", options.plain,
                   "no systemd unit, but an agent that runs until the computer "
                   "restarts; so it is anyway where systemd does not run");
  command.add_flag("--replace", options.replace,
                   "the computer takes the place of one of the same name that "
                   "is offline, as after it was installed anew");
  command
      .add_option(
          "--from", options.from,
          "where berth-agent, berth-holder and, for PAM, berth-login are; "
          "else beside berth")
      ->type_name("DIRECTORY");
}

}  // namespace

void AddInstallOptions(CLI::App& command, InstallOptions& options) {
  command.add_option("hosts", options.hosts, "where to install")
      ->type_name("[NAME=][USER@]HOST[:PORT]")
      ->required();
  AddHow(command, options);
  AddWhat(command, options);
}

absl::Status CheckInstallOptions(const InstallOptions& options) {
  std::vector<std::string> endpoints;
  for (const std::string& host : options.hosts) {
    auto target = ParseSshTarget(host, "root");
    if (!target.ok()) return target.status();
    endpoints.push_back(absl::StrCat(target->user, "@", Endpoint(*target)));
  }
  std::sort(endpoints.begin(), endpoints.end());
  const auto twice = std::adjacent_find(endpoints.begin(), endpoints.end());
  if (twice != endpoints.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", *twice, "' is named twice"));
  }
  if (!options.via.empty()) {
    BERTH_RETURN_IF_ERROR(ParseSshTarget(options.via, "root").status());
  }
  if (!options.name.empty()) {
    if (options.hosts.size() > 1) {
      return absl::InvalidArgumentError(
          "--name is for one host; for several write NAME=HOST");
    }
    BERTH_RETURN_IF_ERROR(CheckName("computer", options.name));
  }
  for (const std::string& label : options.labels) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--label '", EscapeForTerminal(label), "': must be KEY=VALUE"));
    }
  }
  return CheckPaths({&options.prefix, &options.state_directory});
}

void AddUpgradeOptions(CLI::App& command, UpgradeOptions& options) {
  command
      .add_option("-c,--computer", options.computers,
                  "which: web01, \"web[01-20]\", \"web*\", @label:role=db")
      ->type_name("SET,...")
      ->required()
      ->allow_extra_args(false);
  command
      .add_option("--run-as", options.run_as,
                  "do it in sessions of this account, such as root, if the "
                  "computers allow it; else of yours")
      ->type_name("ACCOUNT");
  command.add_flag("--sudo", options.sudo,
                   "become root in these sessions with 'sudo -n'");
  command
      .add_option(
          "--from", options.from,
          "where berth-agent, berth-holder and, for PAM, berth-login are; "
          "else beside berth")
      ->type_name("DIRECTORY");
  AddWhere(command, options.prefix, options.state_directory);
  AddPace(command, "computers at a time (8)", options.parallel,
          options.timeout);
}

absl::Status CheckUpgradeOptions(const UpgradeOptions& options) {
  return CheckPaths({&options.prefix, &options.state_directory});
}

}  // namespace berth::cli
