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

// The holder is installed beside the agent.
std::string DefaultHolder() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  std::string program(path, length > 0 ? length : 0);
  return absl::StrCat(program.substr(0, program.rfind('/') + 1),
                      "berth-holder");
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
      "join", "Joins this computer to a fleet, once, with a token");
  AddStateDirectory(*command, join.state_directory);
  join.name = HostName();
  command->add_option("--broker", join.broker, "The broker's HOST:PORT")
      ->required();
  command
      ->add_option("--token", join.token,
                   "As made by `berth admin token create`")
      ->required();
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

CLI::App* AddServe(CLI::App& app, ServeOptions& serve) {
  CLI::App* command =
      app.add_subcommand("serve", "Hosts sessions until SIGTERM");
  AddStateDirectory(*command, serve.state_directory);
  serve.holder = DefaultHolder();
  command->add_option("--config", serve.config_file,
                      "Settings; agent.toml in the state directory if there");
  command
      ->add_option("--holder", serve.holder, "The program that holds a session")
      ->capture_default_str();
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

std::variant<int, JoinOptions, ServeOptions> ParseOptions(int argc,
                                                          char** argv) {
  CLI::App app("Hosts Berth's shell sessions on this computer.", "berth-agent");
  app.set_version_flag("--version", absl::StrCat("berth-agent ", kVersion));
  app.require_subcommand(1);
  JoinOptions join;
  ServeOptions serve;
  std::vector<std::string> labels;
  const CLI::App* join_command = AddJoin(app, join, labels);
  AddServe(app, serve);
  try {
    app.parse(argc, argv);
    if (!ParseLabels(labels, join)) {
      throw CLI::ValidationError("--label", "must be KEY=VALUE");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (join_command->parsed()) return join;
  return serve;
}

}  // namespace berth::agent
