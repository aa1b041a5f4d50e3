#ifndef BERTH_CLI_COMMANDS_ADMIN_TOKENS_H_
#define BERTH_CLI_COMMANDS_ADMIN_TOKENS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "cli/render/format.h"

namespace berth::cli {

// `berth admin token`: tokens with which computers enrol, and those with which
// users' programs log in.
class AdminTokens {
 public:
  explicit AdminTokens(CLI::App& admin);

  bool parsed() const { return token_->parsed(); }
  int Run(Invocation& invocation, Connection& connection);

 private:
  int Create(Invocation& invocation, Connection& connection);
  int CreateForUser(Invocation& invocation, Connection& connection);
  int List(Invocation& invocation, Connection& connection);
  int Remove(Invocation& invocation, Connection& connection);

  CLI::App* const token_;
  CLI::App* const create_;
  CLI::App* const ls_;
  CLI::App* const rm_;
  std::string names_;
  std::string user_;
  std::optional<absl::Duration> lifetime_;
  std::optional<uint32_t> uses_;
  std::vector<std::string> ids_;
  Format format_ = Format::kTable;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_ADMIN_TOKENS_H_
