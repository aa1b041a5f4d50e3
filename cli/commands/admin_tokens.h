#ifndef BERTH_CLI_COMMANDS_ADMIN_TOKENS_H_
#define BERTH_CLI_COMMANDS_ADMIN_TOKENS_H_

#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "cli/render/format.h"

namespace berth::cli {

// `berth admin token`: join tokens, with which computers enrol.
class AdminTokens {
 public:
  explicit AdminTokens(CLI::App& admin);

  bool parsed() const { return token_->parsed(); }
  int Run(Invocation& invocation, Connection& connection);

 private:
  int Create(Invocation& invocation, Connection& connection);
  int List(Invocation& invocation, Connection& connection);
  int Remove(Invocation& invocation, Connection& connection);

  CLI::App* const token_;
  CLI::App* const create_;
  CLI::App* const ls_;
  CLI::App* const rm_;
  std::string names_;
  std::optional<absl::Duration> lifetime_;
  uint32_t uses_ = 1;
  std::vector<std::string> ids_;
  Format format_ = Format::kTable;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_ADMIN_TOKENS_H_
