#include "cli/install/run.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status_macros.h"
#include "cli/client/connection.h"
#include "cli/client/connector.h"
#include "cli/commands/agent_options.h"
#include "cli/config/contexts.h"
#include "cli/install/board.h"
#include "cli/install/installer.h"
#include "cli/install/run_all.h"
#include "cli/ssh/rules.h"

namespace berth::cli {
namespace {

// Agents' settings are short.
constexpr size_t kMaxConfig = 1 << 20;

SshRules MakeRules(Invocation& invocation, const InstallOptions& options,
                   Board& board) {
  SshRules rules = MakeSshRules(
      invocation,
      {options.identities, options.known_hosts, options.accept_new});
  if (board.can_ask()) {
    rules.host_keys.ask = [&board](const std::string& question) {
      return board.Ask(question);
    };
  }
  return rules;
}

absl::StatusOr<Payload> LoadPayload(Invocation& invocation,
                                    const InstallOptions& options,
                                    const std::string& ca_pem) {
  const std::string from = options.from.empty()
                               ? OwnDirectory()
                               : invocation.AbsolutePath(options.from);
  std::string config;
  if (!options.agent_config.empty()) {
    BERTH_ASSIGN_OR_RETURN(
        config,
        ReadFile(invocation.AbsolutePath(options.agent_config), kMaxConfig));
  }
  return ReadPayload(from, config, ca_pem);
}

absl::StatusOr<int> Install(Invocation& invocation, AgentOptions& all) {
  const InstallOptions& options = all.install;
  std::vector<SshTarget> targets;
  std::vector<std::string> names;
  for (const std::string& host : options.hosts) {
    BERTH_ASSIGN_OR_RETURN(SshTarget target, ParseSshTarget(host, LoginName()));
    targets.push_back(std::move(target));
    names.push_back(host);
  }
  std::optional<SshTarget> via;
  if (!options.via.empty()) {
    BERTH_ASSIGN_OR_RETURN(via, ParseSshTarget(options.via, LoginName()));
  }
  BERTH_ASSIGN_OR_RETURN(const Context context,
                         ResolveContext(invocation.environment(), all.context));
  BERTH_ASSIGN_OR_RETURN(const std::string ca_pem, ReadFile(context.ca));
  BERTH_ASSIGN_OR_RETURN(const Payload payload,
                         LoadPayload(invocation, options, ca_pem));
  BERTH_ASSIGN_OR_RETURN(
      const std::shared_ptr<Connection> connection,
      invocation.connector().Connect(invocation.environment(), all.context));
  FleetSide fleet(invocation, *connection, all.context);
  BERTH_ASSIGN_OR_RETURN(auto known, fleet.Computers());
  Board board(invocation, names);
  const SshRules rules = MakeRules(invocation, options, board);
  NameClaims claims;
  const InstallPlan plan = {
      options,
      payload,
      rules,
      std::move(via),
      options.broker.empty() ? context.broker : options.broker,
      ca_pem,
      std::move(known),
      fleet,
      invocation.signals(),
      claims};
  return RunOnAll(plan.signals, board, targets.size(), options.parallel,
                  [&](size_t i, const Doing& doing) {
                    return Installer(plan, targets[i], doing).Run();
                  });
}

}  // namespace

int RunInstall(Invocation& invocation) {
  AgentOptions options;
  std::vector<std::string> words = invocation.args();
  if (!words.empty()) words.erase(words.begin());  // "agent"
  if (const auto exit = ParseAgentOptions(invocation, words, options)) {
    return *exit;
  }
  const absl::StatusOr<int> exit = Install(invocation, options);
  return exit.ok() ? *exit : invocation.Fail(exit.status());
}

}  // namespace berth::cli
