#include <libssh/libssh.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "base/escape.h"
#include "base/tls/credentials.h"
#include "base/version.h"
#include "broker/gateway/init.h"
#include "broker/gateway/serve.h"

int main(int argc, char** argv) {
  CLI::App app("berth-gateway: lets SSH clients in to a fleet's sessions.");
  app.set_version_flag("--version", std::string(berth::kVersion));
  app.require_subcommand(1);
  berth::gateway::InitOptions options;
  CLI::App* init = app.add_subcommand(
      "init", "makes a gateway's directory, on the broker's machine");
  init->add_option("directory", options.directory, "to be made")->required();
  init->add_option("--broker-dir", options.broker_directory,
                   "the broker's directory, whose CA certifies it")
      ->required();
  init->add_option("--broker", options.config.broker,
                   "where the gateway reaches the broker")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  init->add_option("--listen", options.config.listen,
                   "where SSH clients reach the gateway")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  init->add_option("--name", options.name, "its name, for the audit log")
      ->capture_default_str();
  std::string listen;
  CLI::App* serve = app.add_subcommand("serve", "lets SSH clients in");
  serve->add_option("directory", options.directory, "from init")->required();
  serve->add_option("--listen", listen, "instead of what gateway.toml says")
      ->type_name("ADDRESS:PORT");
  CLI::App* keys = app.add_subcommand(
      "fingerprints", "prints those of its host keys, as ssh shows them");
  keys->add_option("directory", options.directory, "from init")->required();
  CLI11_PARSE(app, argc, argv);

  berth::InitTls();
  ssh_init();
  absl::StatusOr<std::string> done = "";
  if (init->parsed()) done = berth::gateway::InitGateway(options);
  if (keys->parsed()) done = berth::gateway::HostKeyLines(options.directory);
  if (serve->parsed()) {
    const absl::Status served =
        berth::gateway::Serve(options.directory, listen);
    if (!served.ok()) done = served;
  }
  if (done.ok()) {
    printf("%s", done->c_str());
    return 0;
  }
  fprintf(stderr, "berth-gateway: %s\n",
          berth::EscapeForTerminal(done.status().message()).c_str());
  return 1;
}
