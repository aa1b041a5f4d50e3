#ifndef BERTH_CLI_FANOUT_PLAN_H_
#define BERTH_CLI_FANOUT_PLAN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/fanout/outcome.h"
#include "cli/fanout/presenter.h"
#include "cli/fanout/scheduler.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// One of several targets of a command.
struct FanoutTarget {
  TargetName name;
  // Not set: a session is made for it on its computer.
  std::optional<v1::SessionRef> ref;
  v1::ShellKind shell = v1::SHELL_KIND_UNSPECIFIED;
};

// What is done on each of them.
struct FanoutPlan {
  // The script for a kind of shell.
  std::function<absl::StatusOr<std::string>(v1::ShellKind)> script;
  absl::Duration wait = absl::Minutes(4);
  std::optional<absl::Duration> timeout;
  std::optional<absl::Duration> total_timeout;
  bool detach = false;
  bool exit_ends_session = false;
  bool with_input = false;
  // Who interrupts it need not see what was on its way.
  bool skips = false;
  size_t throttle = 0;
  std::optional<FailAfter> fail_after;
  // For the command alone: see berth.v1.StartCommand.
  std::map<std::string, std::string> secrets;
  // For targets without a session; the rest is filled in.
  v1::CreateSessionRequest create;
  // How long a lost connection is tried again.
  absl::Duration patience = absl::Minutes(4);
};

// What is known of one in the end.
struct FanoutResult {
  v1::Session session;  // As far as it was seen.
  std::string command_id;
  bool goes_on = false;  // The command may still run.
  uint64_t skipped = 0;  // Bytes of output not shown after an interrupt.
};

}  // namespace berth::cli

#endif  // BERTH_CLI_FANOUT_PLAN_H_
