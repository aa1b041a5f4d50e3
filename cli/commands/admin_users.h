#ifndef BERTH_CLI_COMMANDS_ADMIN_USERS_H_
#define BERTH_CLI_COMMANDS_ADMIN_USERS_H_

#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "cli/render/format.h"

namespace berth::cli {

// `berth admin user`: users and their SSH keys.
class AdminUsers {
 public:
  explicit AdminUsers(CLI::App& admin);

  bool parsed() const { return user_->parsed(); }
  int Run(Invocation& invocation, Connection& connection);

 private:
  int Add(Invocation& invocation, Connection& connection);
  int List(Invocation& invocation, Connection& connection);
  int SetLocked(Invocation& invocation, Connection& connection, bool locked);
  int Remove(Invocation& invocation, Connection& connection);
  int AddKey(Invocation& invocation, Connection& connection);
  int ListKeys(Invocation& invocation, Connection& connection);
  int RemoveKey(Invocation& invocation, Connection& connection);
  absl::StatusOr<v1::ListUsersResponse> Users(Invocation& invocation,
                                              Connection& connection);

  CLI::App* const user_;
  CLI::App* const add_;
  CLI::App* const ls_;
  CLI::App* const lock_;
  CLI::App* const unlock_;
  CLI::App* const rm_;
  CLI::App* const key_;
  CLI::App* const key_add_;
  CLI::App* const key_ls_;
  CLI::App* const key_rm_;
  std::string name_;
  std::string directory_;
  std::string reason_;
  std::string key_text_;
  std::string key_file_;
  std::string fingerprint_;
  std::optional<absl::Duration> lifetime_;
  Format format_ = Format::kTable;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_ADMIN_USERS_H_
