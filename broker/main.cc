#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "base/escape.h"
#include "base/tls/credentials.h"
#include "base/version.h"
#include "broker/audit_setup.h"
#include "broker/backup.h"
#include "broker/ca_rotation.h"
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

  std::string admin = "admin";
  CLI::App* administrator = app.add_subcommand(
      "admin", "Make a certificate for an administrator, without a broker.");
  administrator->add_option("DIR", directory, "As given to init")->required();
  administrator->add_option("--name", admin, "One of `admins` in broker.toml")
      ->capture_default_str();

  bool force = false;
  CLI::App* ca = app.add_subcommand("ca", "Give the fleet another CA.");
  ca->require_subcommand(1);
  CLI::App* rotate = ca->add_subcommand(
      "rotate", "Make another; both are trusted until `ca finish`.");
  CLI::App* status_of = ca->add_subcommand(
      "status", "Say who has no certificate of the new one yet.");
  CLI::App* finish = ca->add_subcommand("finish", "Drop the old one.");
  for (CLI::App* command : {rotate, status_of, finish}) {
    command->add_option("DIR", directory, "As given to init")->required();
  }
  finish->add_flag("--force", force, "Shut out who has none yet");
  CLI11_PARSE(app, argc, argv);

  berth::InitTls();
  berth::InitForBulk(64 << 20);
  absl::StatusOr<std::string> done = "";
  if (init->parsed()) {
    done = berth::broker::InitBroker(options);
  } else if (administrator->parsed()) {
    done = berth::broker::MakeAdministrator(directory, admin);
  } else if (rotate->parsed()) {
    done = berth::broker::RotateCa(directory);
  } else if (status_of->parsed()) {
    done = berth::broker::DescribeCa(directory);
  } else if (finish->parsed()) {
    done = berth::broker::FinishCa(directory, force);
  } else {
    const absl::Status status =
        backup->parsed() ? berth::broker::BackUpBroker(directory, target)
                         : berth::broker::Serve(directory, listen);
    if (!status.ok()) done = status;
  }
  if (done.ok()) {
    printf("%s", done->c_str());
    return 0;
  }
  fprintf(stderr, "berth-broker: %s\n",
          berth::EscapeForTerminal(done.status().message()).c_str());
  return 1;
}
