#include "cli/install/run.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
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
  std::error_code error;
  const std::string from =
      options.from.empty()
          ? std::filesystem::read_symlink("/proc/self/exe", error)
                .parent_path()
                .string()
          : invocation.AbsolutePath(options.from);
  std::string config;
  if (!options.agent_config.empty()) {
    BERTH_ASSIGN_OR_RETURN(
        config,
        ReadFile(invocation.AbsolutePath(options.agent_config), kMaxConfig));
  }
  return ReadPayload(from, config, ca_pem);
}

// Each host by one of a few threads, while this one shows how far they are.
int InstallAll(const InstallPlan& plan, const std::vector<SshTarget>& targets,
               Board& board) {
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < targets.size(); i = next++) {
      if (plan.signals.left()) {
        board.Done(i, false, "interrupted before it began");
        continue;
      }
      Installer installer(plan, targets[i], [&board, i](std::string what) {
        board.Doing(i, std::move(what));
      });
      const absl::StatusOr<std::string> done = installer.Run();
      board.Done(i, done.ok(),
                 done.ok() ? *done : std::string(done.status().message()));
    }
  };
  std::vector<std::thread> threads;
  const size_t count = std::min(plan.options.parallel, targets.size());
  for (size_t i = 0; i < count; ++i) threads.emplace_back(work);
  const int exit = board.Show();
  for (std::thread& thread : threads) thread.join();
  return plan.signals.left() ? plan.signals.exit_code() : exit;
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
  FleetSide fleet(invocation, *connection);
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
  return InstallAll(plan, targets, board);
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
