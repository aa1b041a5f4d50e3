#include "cli/commands/agent_options.h"

#include <utility>

#include "cli/commands/parser.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "'install' logs in by SSH with keys (~/.ssh/config is not read), copies\n"
    "berth-agent and berth-holder, has the computer join your fleet by a "
    "token\n"
    "for it alone, starts the agent, and runs 'true' there. Again, it only\n"
    "repairs what is missing or old: identity and sessions stay. It takes an\n"
    "administrator, and ends with 1 if a host failed, whatever the others "
    "did.\n"
    "'upgrade' takes no SSH: it copies and replaces by sessions of yours, "
    "with\n"
    "the rights that the computer gives them.\n\n"
    "Examples:\n"
    "  berth agent install root@web01\n"
    "  berth agent install --sudo ann@web01 ann@web02:2222 --via ann@gate\n"
    "  berth agent install front=root@10.0.0.7 --label site=lab "
    "--accept-new\n"
    "  berth agent upgrade -c 'web*' --sudo\n";

}  // namespace

std::optional<int> ParseAgentOptions(Invocation& invocation,
                                     std::vector<std::string> words,
                                     AgentOptions& options) {
  Parser parser("agent", "Installs agents on computers, and upgrades them.",
                kExamples);
  parser.app().require_subcommand(1);
  parser.app().fallthrough();
  CLI::App* const install = parser.app().add_subcommand(
      "install", "Installs the agent on hosts, by SSH, or repairs it");
  AddInstallOptions(*install, options.install);
  CLI::App* const upgrade = parser.app().add_subcommand(
      "upgrade",
      "Replaces the programs of agents that are online; sessions live on");
  AddUpgradeOptions(*upgrade, options.upgrade);
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return exit;
  }
  options.context = parser.context();
  options.upgrades = upgrade->parsed();
  const absl::Status status = options.upgrades
                                  ? CheckUpgradeOptions(options.upgrade)
                                  : CheckInstallOptions(options.install);
  if (!status.ok()) return invocation.Fail(status, kUsageExit);
  return std::nullopt;
}

}  // namespace berth::cli
