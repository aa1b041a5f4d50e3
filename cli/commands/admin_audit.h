#ifndef BERTH_CLI_COMMANDS_ADMIN_AUDIT_H_
#define BERTH_CLI_COMMANDS_ADMIN_AUDIT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "proto/berth/v1/audit.grpc.pb.h"

namespace berth::cli {

// `berth admin audit verify|search|tail`. One command line's.
class AdminAudit {
 public:
  // Adds the subcommand to `app`, which must outlive it.
  explicit AdminAudit(CLI::App& app);
  AdminAudit(const AdminAudit&) = delete;

  // How the log is, as a line for `berth admin status`; empty from a broker of
  // a version that has none.
  static absl::StatusOr<std::string> StatusText(Invocation& invocation,
                                                Connection& connection);

  bool parsed() const { return audit_->parsed(); }
  // Returns the exit status.
  int Run(Invocation& invocation, Connection& connection);

 private:
  void AddFilter(CLI::App& app);
  v1::AuditFilter Filter() const;
  int Verify(Invocation& invocation, Connection& connection);
  int Search(Invocation& invocation, Connection& connection);
  int Tail(Invocation& invocation, Connection& connection);

  CLI::App* audit_ = nullptr;
  CLI::App* verify_ = nullptr;
  CLI::App* search_ = nullptr;
  CLI::App* tail_ = nullptr;

  std::vector<std::string> users_, computers_, sessions_, verbs_, outcomes_;
  std::optional<absl::Duration> since_, until_;
  std::string text_;
  uint32_t limit_ = 100;
  uint32_t before_ = 10;
  std::string format_ = "table";
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_ADMIN_AUDIT_H_
