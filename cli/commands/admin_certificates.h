#ifndef BERTH_CLI_COMMANDS_ADMIN_CERTIFICATES_H_
#define BERTH_CLI_COMMANDS_ADMIN_CERTIFICATES_H_

#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "cli/render/format.h"

namespace berth::cli {

// `berth admin cert`: the certificates of users and computers.
class AdminCertificates {
 public:
  explicit AdminCertificates(CLI::App& admin);

  bool parsed() const { return cert_->parsed(); }
  int Run(Invocation& invocation, Connection& connection);

 private:
  int List(Invocation& invocation, Connection& connection);
  int Revoke(Invocation& invocation, Connection& connection);

  CLI::App* const cert_;
  CLI::App* const ls_;
  CLI::App* const revoke_;
  std::string serial_;
  std::string user_;
  std::string computer_;
  std::string reason_;
  Format format_ = Format::kTable;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_ADMIN_CERTIFICATES_H_
