#include "agent/options.h"

#include <limits.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "agent/link/agent_state.h"
#include "base/version.h"

namespace berth::agent {
namespace {

std::string HostName() {
  char name[HOST_NAME_MAX + 1] = {};
  if (gethostname(name, sizeof(name) - 1) != 0) return "";
  return name;
}

// What is installed beside the agent.
std::string Beside(const char* name) {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  std::string program(path, length > 0 ? length : 0);
  return absl::StrCat(program.substr(0, program.rfind('/') + 1), name);
}

void AddStateDirectory(CLI::App& command, std::string& directory) {
  directory = DefaultStateDirectory();
  command
      .add_option("--state-dir", directory,
                  "Where the agent keeps its key and its sessions")
      ->capture_default_str();
}

CLI::App* AddJoin(CLI::App& app, JoinOptions& join,
                  std::vector<std::string>& labels) {
  CLI::App* command = app.add_subcommand(
      "join",
      "Joins this computer to a fleet with a token; harmless if it has");
  AddStateDirectory(*command, join.state_directory);
  join.name = HostName();
  command->add_option("--broker", join.broker, "The broker's HOST:PORT")
      ->required();
  command->add_option("--token", join.token,
                      "As made by `berth admin token create`; others on this "
                      "computer may see it: rather use --token-file");
  command
      ->add_option("--token-file", join.token_file,
                   "File with the token; - for standard input")
      ->excludes("--token");
  command
      ->add_option("--ca", join.ca_file,
                   "File with the broker's CA certificate (PEM)")
      ->required();
  command->add_option("--name", join.name, "This computer's name in the fleet")
      ->capture_default_str();
  command
      ->add_option("--label", labels,
                   "KEY=VALUE, shown with the computer; may be repeated")
      ->allow_extra_args(false);
  return command;
}

CLI::App* AddLeave(CLI::App& app, LeaveOptions& leave) {
  CLI::App* command = app.add_subcommand(
      "leave", "Ends all sessions here and forgets the fleet");
  AddStateDirectory(*command, leave.state_directory);
  command->add_flag("--keep-sessions", leave.keep_sessions,
                    "Let them run: they are there again after another join");
  return command;
}

CLI::App* AddServe(CLI::App& app, ServeOptions& serve) {
  CLI::App* command =
      app.add_subcommand("serve", "Hosts sessions until SIGTERM");
  AddStateDirectory(*command, serve.state_directory);
  serve.holder = Beside("berth-holder");
  serve.login = Beside("berth-login");
  command->add_option("--config", serve.config_file,
                      "Settings; agent.toml in the state directory if there");
  command
      ->add_option("--holder", serve.holder, "The program that holds a session")
      ->capture_default_str();
  command
      ->add_option("--login", serve.login,
                   "The program that opens PAM sessions, if agent.toml says "
                   "pam")
      ->capture_default_str();
  return command;
}

void AddFreeze(CLI::App& app, FreezeOptions& freeze) {
  CLI::App* on = app.add_subcommand(
      "freeze",
      "Lets no new sessions be made here, whatever a broker says, until "
      "unfreeze. Sessions that live go on");
  AddStateDirectory(*on, freeze.state_directory);
  on->add_option("--reason", freeze.reason, "Shown to those who are refused");
  on->callback([&freeze] { freeze.frozen = true; });
  CLI::App* off =
      app.add_subcommand("unfreeze", "Lets new sessions be made here again");
  AddStateDirectory(*off, freeze.state_directory);
}

CLI::App* AddRestart(CLI::App& app, RestartOptions& restart) {
  CLI::App* command = app.add_subcommand(
      "restart",
      "Lets the agent that runs here begin anew, with the program and settings "
      "that are there now. Sessions and what runs in them go on");
  AddStateDirectory(*command, restart.state_directory);
  return command;
}

CLI::App* AddConfiguration(CLI::App& app, ConfigurationOptions& options) {
  using Verb = ConfigurationOptions::Verb;
  CLI::App* command = app.add_subcommand(
      "configuration",
      "Lists, checks and changes what sessions can be made from. Sessions that "
      "live are left as they are");
  AddStateDirectory(*command, options.state_directory);
  command->add_option("--config", options.config_file,
                      "The agent's settings, if not agent.toml in the state "
                      "directory");
  command->require_subcommand(1);
  command->fallthrough();
  constexpr struct {
    Verb verb;
    const char* name;
    const char* what;
    bool named;
    bool from_file;
  } kVerbs[] = {
      {Verb::kList, "list", "Lists them; * is the default", false, false},
      {Verb::kShow, "show", "Prints one with all its keys", true, false},
      {Verb::kCheck, "check", "Says what is wrong with a file", false, true},
      {Verb::kRegister, "register",
       "Adds one from a file, or replaces what was registered by that name",
       true, true},
      {Verb::kEnable, "enable", "Lets sessions be made from it", true, false},
      {Verb::kDisable, "disable", "Refuses new sessions of it", true, false},
      {Verb::kRemove, "remove", "Removes one that was registered", true, false},
      {Verb::kSetDefault, "set-default", "For requests that name none", true,
       false},
  };
  for (const auto& each : kVerbs) {
    CLI::App* verb = command->add_subcommand(each.name, each.what);
    if (each.named) verb->add_option("NAME", options.name)->required();
    if (each.from_file) verb->add_option("FILE", options.file)->required();
    verb->callback([&options, to = each.verb] { options.verb = to; });
  }
  return command;
}

bool ParseLabels(const std::vector<std::string>& labels, JoinOptions& join) {
  for (const std::string& label : labels) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) return false;
    join.labels[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return true;
}

}  // namespace

std::variant<int, JoinOptions, LeaveOptions, ServeOptions, ConfigurationOptions,
             FreezeOptions, RestartOptions>
ParseOptions(int argc, char** argv) {
  CLI::App app("Hosts Berth's shell sessions on this computer.", "berth-agent");
  app.set_version_flag("--version", absl::StrCat("berth-agent ", kVersion));
  app.require_subcommand(1);
  JoinOptions join;
  LeaveOptions leave;
  ServeOptions serve;
  std::vector<std::string> labels;
  const CLI::App* join_command = AddJoin(app, join, labels);
  const CLI::App* leave_command = AddLeave(app, leave);
  AddServe(app, serve);
  FreezeOptions freeze;
  AddFreeze(app, freeze);
  RestartOptions restart;
  const CLI::App* restart_command = AddRestart(app, restart);
  ConfigurationOptions configuration;
  const CLI::App* configuration_command = AddConfiguration(app, configuration);
  try {
    app.parse(argc, argv);
    if (!ParseLabels(labels, join)) {
      throw CLI::ValidationError("--label", "must be KEY=VALUE");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (join_command->parsed()) return join;
  if (configuration_command->parsed()) return configuration;
  if (app.got_subcommand("freeze") || app.got_subcommand("unfreeze")) {
    return freeze;
  }
  if (leave_command->parsed()) return leave;
  if (restart_command->parsed()) return restart;
  return serve;
}

}  // namespace berth::agent
