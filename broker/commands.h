#ifndef BERTH_BROKER_COMMANDS_H_
#define BERTH_BROKER_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "broker/init.h"

namespace berth::broker {

// The subcommands of berth-broker: `app` is parsed, then Run() called.
class Commands {
 public:
  // `app` must outlive this.
  explicit Commands(CLI::App& app);

  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  // Does what was asked for. Returns what to print.
  absl::StatusOr<std::string> Run() { return action_(); }

 private:
  using Action = std::function<absl::StatusOr<std::string>()>;

  void AddInit(CLI::App& app);
  void AddServe(CLI::App& app);
  void AddBackup(CLI::App& app);
  void AddAudit(CLI::App& app);
  void AddAdmin(CLI::App& app);
  void AddCa(CLI::App& app);
  // A subcommand about the broker in a directory.
  CLI::App* Add(CLI::App& parent, const char* name, const char* description,
                Action action);

  InitOptions init_;
  std::string directory_;
  std::string listen_;
  std::string target_;
  std::string public_key_;
  std::string admin_ = "admin";
  bool force_ = false;
  Action action_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_COMMANDS_H_
