#include "broker/commands.h"

#include <utility>

#include "absl/status/status.h"
#include "broker/audit_setup.h"
#include "broker/backup.h"
#include "broker/ca_rotation.h"
#include "broker/serve.h"

namespace berth::broker {
namespace {

// Of what prints for itself.
absl::StatusOr<std::string> Nothing(const absl::Status& status) {
  if (!status.ok()) return status;
  return "";
}

}  // namespace

Commands::Commands(CLI::App& app) {
  app.require_subcommand(1);
  AddInit(app);
  AddServe(app);
  AddBackup(app);
  AddAudit(app);
  AddAdmin(app);
  AddCa(app);
}

CLI::App* Commands::Add(CLI::App& parent, const char* name,
                        const char* description, Action action) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->add_option("DIR", directory_, "As given to init")->required();
  command->final_callback(
      [this, action = std::move(action)] { action_ = action; });
  return command;
}

void Commands::AddInit(CLI::App& app) {
  CLI::App* init =
      Add(app, "init", "Make a broker: its CA, certificates and configuration.",
          [this] {
            init_.directory = directory_;
            return InitBroker(init_);
          });
  init->get_option("DIR")->description("Where; made if needed");
  init->add_option("--host", init_.hosts,
                   "Name by which clients and agents reach it");
  init->add_option("--listen", init_.listen, "ADDRESS:PORT to listen on")
      ->capture_default_str();
  init->add_option("--admin", init_.admin, "Name of the first administrator")
      ->capture_default_str();
}

void Commands::AddServe(CLI::App& app) {
  Add(app, "serve", "Serve until SIGTERM.",
      [this] { return Nothing(Serve(directory_, listen_)); })
      ->add_option("--listen", listen_,
                   "ADDRESS:PORT instead of the configured one");
}

void Commands::AddBackup(CLI::App& app) {
  Add(app, "backup",
      "Copy a broker, which may be serving. The copy can be served.",
      [this] { return Nothing(BackUpBroker(directory_, target_)); })
      ->add_option("TARGET", target_, "Where to; must not exist")
      ->required();
}

void Commands::AddAudit(CLI::App& app) {
  CLI::App* audit = app.add_subcommand("audit", "The audit log, offline.");
  audit->require_subcommand(1);
  CLI::App* verify = Add(
      *audit, "verify",
      "Name the first line of the audit log that was changed, removed or put "
      "in.",
      [this] { return Nothing(VerifyOffline(directory_, public_key_)); });
  verify->get_option("DIR")->description(
      "As given to init, or a copy of its audit directory");
  verify->add_option("--key", public_key_,
                     "The public key to trust, instead of DIR/audit-pub.pem");
}

void Commands::AddAdmin(CLI::App& app) {
  Add(app, "admin",
      "Make a certificate for an administrator, without a broker.",
      [this] { return MakeAdministrator(directory_, admin_); })
      ->add_option("--name", admin_, "One of `admins` in broker.toml")
      ->capture_default_str();
}

void Commands::AddCa(CLI::App& app) {
  CLI::App* ca = app.add_subcommand("ca", "Give the fleet another CA.");
  ca->require_subcommand(1);
  Add(*ca, "rotate", "Make another; both are trusted until `ca finish`.",
      [this] { return RotateCa(directory_); });
  Add(*ca, "status", "Say who has no certificate of the new one yet.",
      [this] { return DescribeCa(directory_); });
  Add(*ca, "finish", "Drop the old one.", [this] {
    return FinishCa(directory_, force_);
  })->add_flag("--force", force_, "Shut out who has none yet");
}

}  // namespace berth::broker
