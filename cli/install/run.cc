#include "cli/install/run.h"

#include <pwd.h>
#include <unistd.h>

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

namespace berth::cli {
namespace {

// Agents' settings are short.
constexpr size_t kMaxConfig = 1 << 20;

std::string LoginName() {
  const passwd* const user = getpwuid(geteuid());
  return user == nullptr ? "root" : user->pw_name;
}

std::string HomeDirectory(const Invocation& invocation) {
  const std::string home(invocation.environment().Get("HOME"));
  return home.empty() ? "/" : home;
}

SshRules MakeRules(Invocation& invocation, const InstallOptions& options,
                   Board& board) {
  SshRules rules;
  rules.ssh_directory = HomeDirectory(invocation) + "/.ssh";
  rules.host_keys.known_hosts =
      options.known_hosts.empty()
          ? rules.ssh_directory + "/known_hosts"
          : invocation.AbsolutePath(options.known_hosts);
  rules.host_keys.accept_new = options.accept_new;
  if (board.can_ask()) {
    rules.host_keys.ask = [&board](const std::string& question) {
      return board.Ask(question);
    };
  }
  for (const std::string& file : options.identities) {
    rules.keys.named.push_back(invocation.AbsolutePath(file));
  }
  for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"}) {
    rules.keys.usual.push_back(absl::StrCat(rules.ssh_directory, "/", name));
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
