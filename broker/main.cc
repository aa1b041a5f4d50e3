#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "base/escape.h"
#include "base/tls/credentials.h"
#include "base/version.h"
#include "broker/audit_setup.h"
#include "broker/backup.h"
#include "broker/init.h"
#include "broker/serve.h"

int main(int argc, char** argv) {
  CLI::App app(
      "berth-broker: knows the sessions of a fleet, and connects "
      "clients with them.");
  app.set_version_flag("--version", std::string(berth::kVersion));
  app.require_subcommand(1);

  berth::broker::InitOptions options;
  CLI::App* init = app.add_subcommand(
      "init", "Make a broker: its CA, certificates and configuration.");
  init->add_option("DIR", options.directory, "Where; made if needed")
      ->required();
  init->add_option("--host", options.hosts,
                   "Name by which clients and agents reach it");
  init->add_option("--listen", options.listen, "ADDRESS:PORT to listen on")
      ->capture_default_str();
  init->add_option("--admin", options.admin, "Name of the first administrator")
      ->capture_default_str();

  std::string directory, listen;
  CLI::App* serve = app.add_subcommand("serve", "Serve until SIGTERM.");
  serve->add_option("DIR", directory, "As given to init")->required();
  serve->add_option("--listen", listen,
                    "ADDRESS:PORT instead of the configured one");

  std::string target;
  CLI::App* backup = app.add_subcommand(
      "backup", "Copy a broker, which may be serving. The copy can be served.");
  backup->add_option("DIR", directory, "As given to init")->required();
  backup->add_option("TARGET", target, "Where to; must not exist")->required();

  std::string public_key;
  CLI::App* audit = app.add_subcommand("audit", "The audit log, offline.");
  audit->require_subcommand(1);
  CLI::App* verify = audit->add_subcommand(
      "verify",
      "Name the first line of the audit log that was changed, removed or put "
      "in.");
  verify
      ->add_option("DIR", directory,
                   "As given to init, or a copy of its audit directory")
      ->required();
  verify->add_option("--key", public_key,
                     "The public key to trust, instead of DIR/audit-pub.pem");
  CLI11_PARSE(app, argc, argv);

  berth::InitTls();
  berth::InitForBulk(64 << 20);
  absl::Status status;
  if (init->parsed()) {
    absl::StatusOr<std::string> made = berth::broker::InitBroker(options);
    if (made.ok()) printf("%s", made->c_str());
    status = made.status();
  } else if (backup->parsed()) {
    status = berth::broker::BackUpBroker(directory, target);
  } else if (audit->parsed()) {
    status = berth::broker::VerifyOffline(directory, public_key);
  } else {
    status = berth::broker::Serve(directory, listen);
  }
  if (status.ok()) return 0;
  fprintf(stderr, "berth-broker: %s\n",
          berth::EscapeForTerminal(status.message()).c_str());
  return 1;
}
