#ifndef BERTH_CLI_COMMANDS_ADMIN_POLICY_H_
#define BERTH_CLI_COMMANDS_ADMIN_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "proto/berth/v1/policy.grpc.pb.h"

namespace berth::cli {

// The part of `berth admin` that is about rights: policy, can-i and who-can.
// One command line's.
class AdminPolicy {
 public:
  // Adds the subcommands to `app`, which must outlive it.
  explicit AdminPolicy(CLI::App& app);
  AdminPolicy(const AdminPolicy&) = delete;

  // Whether one of them was given.
  bool parsed() const;
  // Whether it needs no broker: then Check() does it, else Run().
  bool IsLocal() const { return check_->parsed(); }

  // Both return the exit status.
  int Check(Invocation& invocation);
  int Run(Invocation& invocation, Connection& connection);

 private:
  void AddPolicy(CLI::App& app);
  void AddQuestions(CLI::App& app);

  absl::StatusOr<std::string> ReadText(Invocation& invocation) const;
  absl::StatusOr<v1::PolicyVersion> Fetch(std::optional<uint32_t> version);
  int Apply();
  int Show();
  int History();
  int Diff();
  int RollBack();
  int CanI();
  int WhoCan();

  // What became of ApplyPolicy or RollBackPolicy.
  int Tell(const v1::ApplyPolicyResponse& response,
           const std::string& difference);

  // Of Run(), while it runs.
  Invocation* invocation_ = nullptr;
  Connection* connection_ = nullptr;
  std::unique_ptr<v1::Policies::Stub> stub_;

  CLI::App* policy_ = nullptr;
  CLI::App* apply_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* history_ = nullptr;
  CLI::App* diff_ = nullptr;
  CLI::App* roll_back_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* can_i_ = nullptr;
  CLI::App* who_can_ = nullptr;

  std::string file_;
  bool dry_run_ = false;
  std::optional<uint32_t> expected_;
  std::optional<uint32_t> version_;
  std::optional<uint32_t> other_version_;
  std::string verb_;
  std::string computer_;
  std::string user_;
  std::string configuration_;
  std::string run_as_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_ADMIN_POLICY_H_
