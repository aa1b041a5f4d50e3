#include "cli/install/upgrade.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/monotonic.h"
#include "base/status_macros.h"
#include "cli/client/computers.h"
#include "cli/client/connector.h"
#include "cli/install/board.h"
#include "cli/install/shell_quote.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kTimeout = absl::Minutes(5);
// To clean up after a computer that took all of its time.
constexpr absl::Duration kCleanup = absl::Seconds(20);

// It is removed in the end: so it must be what was asked for.
absl::StatusOr<std::string> PathIn(absl::string_view printed) {
  const std::string path(absl::StripAsciiWhitespace(printed));
  constexpr absl::string_view kStart = "/tmp/berth-install.";
  if (!absl::StartsWith(path, kStart) || path.size() <= kStart.size() ||
      !std::all_of(path.begin() + kStart.size(), path.end(), isalnum)) {
    return absl::InternalError("no folder could be made below /tmp there");
  }
  return path;
}

bool Has(const HostState& host, const PayloadFile& program) {
  const auto there = host.programs.find(program.name);
  return there != host.programs.end() && there->second == program.sha256;
}

}  // namespace

Upgrade::Upgrade(FleetSide& fleet, const UpgradeOptions& options,
                 const Payload& payload, std::string computer,
                 const Doing& doing)
    : fleet_(fleet),
      options_(options),
      payload_(payload),
      computer_(std::move(computer)),
      doing_(doing),
      deadline_(MonotonicNow() + options.timeout.value_or(kTimeout)) {}

absl::Duration Upgrade::left() const {
  return std::max(absl::ZeroDuration(), deadline_ - MonotonicNow());
}

absl::StatusOr<std::string> Upgrade::RunIn(const std::string& script) {
  return fleet_.RunIn(session_, script, left());
}

absl::StatusOr<std::string> Upgrade::Run() {
  doing_("making a session");
  BERTH_ASSIGN_OR_RETURN(
      session_,
      fleet_.MakeSession(computer_, "berth-upgrade", options_.run_as));
  absl::StatusOr<std::string> done = InSession();
  const absl::Status gone = fleet_.WhileItComesBack(
      computer_, [this] { return fleet_.RemoveSession(session_); });
  if (done.ok() && !gone.ok()) return gone;
  return done;
}

absl::StatusOr<std::string> Upgrade::InSession() {
  doing_("looking at what is there");
  BERTH_ASSIGN_OR_RETURN(
      const std::string probed,
      RunIn(absl::StrCat(options_.sudo ? "sudo -n " : "", "sh -c ",
                         ShellQuote(kProbeScript), " sh ",
                         ShellQuote(options_.state_directory), " ",
                         ShellQuote(options_.prefix))));
  BERTH_ASSIGN_OR_RETURN(const HostState host, ParseProbe(probed));
  BERTH_RETURN_IF_ERROR(CheckHost(host));
  if (std::all_of(
          payload_.programs.begin(), payload_.programs.end(),
          [&](const PayloadFile& program) { return Has(host, program); })) {
    return "had these programs already; nothing to change";
  }
  BERTH_ASSIGN_OR_RETURN(const std::string made,
                         RunIn("mktemp -d /tmp/berth-install.XXXXXXXXXX"));
  BERTH_ASSIGN_OR_RETURN(const std::string staging, PathIn(made));
  absl::StatusOr<std::string> done = Replace(host, staging);
  // `run` tells no codes: once more, if the agent is away just now.
  const std::string remove = absl::StrCat("rm -rf ", staging);
  if (!fleet_.RunIn(session_, remove, kCleanup).ok() &&
      fleet_.WaitOnline(computer_, kCleanup).ok()) {
    fleet_.RunIn(session_, remove, kCleanup).IgnoreError();
  }
  return done;
}

absl::Status Upgrade::CheckHost(const HostState& host) const {
  if (host.certificate_pem.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "a session of yours there has no rights on its agent: none that it "
        "may see serves ",
        host.state_directory,
        "; if the computer lets you be root: --run-as root, or --sudo; and "
        "--state-dir if it is elsewhere"));
  }
  if (host.machine != payload_.machine) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it is ", host.machine, ", and the programs are for ", payload_.machine,
        ": name a directory with others with --from"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Upgrade::Replace(const HostState& host,
                                             const std::string& staging) {
  std::vector<std::string> files;
  std::string sums;
  for (const PayloadFile& program : payload_.programs) {
    if (Has(host, program)) continue;
    files.push_back(absl::StrCat(payload_.from, "/", program.name));
    absl::StrAppend(&sums, program.sha256, "  ", program.name, "\n");
  }
  doing_("copying");
  BERTH_RETURN_IF_ERROR(fleet_.CopyTo(session_, files, staging, left()));
  doing_("replacing");
  BERTH_ASSIGN_OR_RETURN(const std::string printed,
                         RunIn(ReplaceScript(staging, std::move(sums))));
  doing_("waiting for it to come online");
  BERTH_RETURN_IF_ERROR(fleet_.WaitOnline(computer_, left()));
  const std::vector<std::string> changes =
      absl::StrSplit(printed, '\n', absl::SkipEmpty());
  return absl::StrJoin(changes, "; ");
}

// The agent is replaced while this runs, and it goes on.
std::string Upgrade::ReplaceScript(const std::string& staging,
                                   std::string sums) const {
  const PayloadFile& script = payload_.others.front();
  absl::StrAppend(&sums, script.sha256, "  ", script.name, "\n");
  std::string text = absl::StrCat(
      "(set -e; cd ", staging, "; printf %s ", ShellQuote(script.data), " >",
      script.name, "; printf %s ", ShellQuote(sums),
      " | sha256sum -c >/dev/null; ", options_.sudo ? "sudo -n " : "", "env ");
  if (!options_.prefix.empty()) {
    absl::StrAppend(&text, "BERTH_PREFIX=", ShellQuote(options_.prefix), " ");
  }
  absl::StrAppend(&text, "bash ", staging, "/", script.name, " --programs");
  if (!options_.state_directory.empty()) {
    absl::StrAppend(&text, " --state-dir ",
                    ShellQuote(options_.state_directory));
  }
  return text + ")";
}

int RunUpgrade(Invocation& invocation, const UpgradeOptions& options,
               const std::string& context) {
  const absl::StatusOr<Payload> payload =
      ReadPayload(options.from.empty() ? OwnDirectory()
                                       : invocation.AbsolutePath(options.from),
                  "", "");
  if (!payload.ok()) return invocation.Fail(payload.status());
  const absl::StatusOr<std::shared_ptr<Connection>> connection =
      invocation.connector().Connect(invocation.environment(), context);
  if (!connection.ok()) return invocation.Fail(connection.status());
  const absl::StatusOr<std::vector<std::string>> computers = ComputerNamesToTry(
      **connection, invocation.signals(), {options.computers, {}});
  if (!computers.ok()) return invocation.Fail(computers.status());
  FleetSide fleet(invocation, **connection, context);
  Board board(invocation, *computers);
  return RunOnAll(
      invocation.signals(), board, computers->size(), options.parallel,
      [&](size_t i, const Doing& doing) {
        return Upgrade(fleet, options, *payload, (*computers)[i], doing).Run();
      });
}

}  // namespace berth::cli
