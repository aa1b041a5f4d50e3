#ifndef BERTH_CLI_INSTALL_OPTIONS_H_
#define BERTH_CLI_INSTALL_OPTIONS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace berth::cli {

// `berth agent install`: `berth` reads it to tell what is wrong and to help,
// `berth-ssh` to do it.
struct InstallOptions {
  std::vector<std::string> hosts;
  std::string via;
  std::string name;
  std::vector<std::string> labels;      // KEY=VALUE.
  std::vector<std::string> identities;  // Files.
  size_t parallel = 8;
  std::string known_hosts;  // Empty: ~/.ssh/known_hosts.
  bool accept_new = false;
  bool sudo = false;
  bool plain = false;
  bool replace = false;
  std::string prefix;           // Empty: the script's default.
  std::string state_directory;  // The same.
  std::string broker;           // Empty: as this client reaches it.
  std::string agent_config;     // File; empty: deploy/agent.toml.
  std::string from;             // Directory; empty: this program's.
  std::optional<absl::Duration> timeout;
};

// Adds the options to a command.
void AddInstallOptions(CLI::App& command, InstallOptions& options);

// INVALID_ARGUMENT: what can be known to be wrong before any host is asked.
absl::Status CheckInstallOptions(const InstallOptions& options);

// `berth agent upgrade`.
struct UpgradeOptions {
  std::vector<std::string> computers;  // Sets as in base/node_set.h.
  std::string run_as;
  bool sudo = false;
  size_t parallel = 8;
  std::string prefix;
  std::string state_directory;
  std::string from;
  std::optional<absl::Duration> timeout;
};

void AddUpgradeOptions(CLI::App& command, UpgradeOptions& options);
absl::Status CheckUpgradeOptions(const UpgradeOptions& options);

}  // namespace berth::cli

#endif  // BERTH_CLI_INSTALL_OPTIONS_H_
