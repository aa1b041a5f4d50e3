#ifndef BERTH_CLI_COMMANDS_RUN_OPTIONS_H_
#define BERTH_CLI_COMMANDS_RUN_OPTIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/client/sessions.h"
#include "cli/commands/parser.h"
#include "cli/fanout/scheduler.h"
#include "cli/fanout/script.h"
#include "cli/invocation/invocation.h"

namespace berth::cli {

// What the user asked `berth run` for.
struct RunRequestOptions {
  SessionQuery query;
  bool all = false;
  ScriptParts script;
  // By the names of variables that have their paths.
  std::map<std::string, std::string> secrets;

  // When.
  std::optional<absl::Duration> wait;
  std::optional<absl::Duration> timeout;
  std::optional<absl::Duration> total_timeout;
  size_t throttle = 0;
  std::optional<FailAfter> fail_after;

  // How.
  bool detach = false;
  bool job = false;
  std::string job_name;
  bool exit_ends_session = false;
  bool no_input = false;
  std::string configuration;
  std::string run_as;

  // Its output.
  bool gather = false;
  bool diff = false;
  bool json_lines = false;
  std::string out_dir;
  bool no_prefix = false;
  std::string colour = "auto";
  bool quiet = false;

  // Sessions are made for it.
  bool temporary() const { return query.selectors.empty(); }
  // It is passed through as it is if there is one target.
  bool plain() const {
    return !gather && !diff && !json_lines && out_dir.empty() && !job &&
           !total_timeout;
  }
};

// Reads the command line. Returns the exit status if that was all.
std::optional<int> ReadRunOptions(Invocation& invocation, Parser& parser,
                                  std::vector<std::string> words,
                                  RunRequestOptions& options);

}  // namespace berth::cli

#endif  // BERTH_CLI_COMMANDS_RUN_OPTIONS_H_
