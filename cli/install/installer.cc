#include "cli/install/installer.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "cli/install/shell_quote.h"
#include "cli/ssh/dial_ssh.h"

namespace berth::cli {
namespace {

constexpr absl::Duration kTimeout = absl::Minutes(5);
// Longer than a host may take: a token must not end before it is used.
constexpr absl::Duration kTokenSlack = absl::Minutes(2);
constexpr char kStaging[] = "/tmp/berth-install.";
constexpr size_t kMaxReason = 600;

absl::Status Within(absl::string_view where, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(where, ": ", status.message()));
}

// What a program said on its way out, on one line.
std::string Reason(const RemoteResult& result) {
  std::vector<std::string> lines;
  for (absl::string_view line :
       absl::StrSplit(result.err.empty() ? result.out : result.err, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!line.empty()) lines.emplace_back(line);
  }
  std::string text = absl::StrJoin(lines, "; ");
  if (text.size() > kMaxReason)
    text = "..." + text.substr(text.size() - kMaxReason);
  return text.empty() ? absl::StrCat("exit status ", result.exit_status) : text;
}

// Removes the copied files, whatever came of them.
class Staging {
 public:
  Staging(SshSession& session, std::string path)
      : session_(session), path_(std::move(path)) {}
  ~Staging() {
    session_.Run(absl::StrCat("rm -rf ", ShellQuote(path_))).IgnoreError();
  }
  const std::string& path() const { return path_; }

 private:
  SshSession& session_;
  const std::string path_;
};

// The name comes from the other side: it must be what was asked for, since it
// is removed in the end.
absl::StatusOr<std::string> MakeStaging(SshSession& session) {
  BERTH_ASSIGN_OR_RETURN(
      const RemoteResult made,
      session.Run(absl::StrCat("mktemp -d ", kStaging, "XXXXXXXXXX")));
  const std::string path(absl::StripAsciiWhitespace(made.out));
  const absl::string_view unique =
      absl::string_view(path).substr(std::min(path.size(), strlen(kStaging)));
  if (made.exit_status != 0 || !absl::StartsWith(path, kStaging) ||
      unique.empty() || !std::all_of(unique.begin(), unique.end(), isalnum)) {
    return absl::InternalError(absl::StrCat(
        "no folder could be made below /tmp there: ", Reason(made)));
  }
  return path;
}

}  // namespace

absl::StatusOr<std::string> Installer::Run() {
  Lifeline lifeline(plan_.signals, plan_.options.timeout.value_or(kTimeout));
  absl::StatusOr<std::string> done = Work(lifeline);
  if (!done.ok()) BERTH_RETURN_IF_ERROR(lifeline.reason());
  return done;
}

absl::StatusOr<std::string> Installer::Work(Lifeline& lifeline) {
  BERTH_RETURN_IF_ERROR(Connect(lifeline));
  doing_("looking at what is there");
  BERTH_ASSIGN_OR_RETURN(const HostState host, Probe());
  BERTH_RETURN_IF_ERROR(CheckHost(host));
  BERTH_RETURN_IF_ERROR(Identify(host));
  std::string changes;
  {
    BERTH_ASSIGN_OR_RETURN(std::string path, MakeStaging(*session_));
    const Staging staging(*session_, std::move(path));
    BERTH_ASSIGN_OR_RETURN(changes, InstallFrom(staging.path(), host));
  }
  session_.reset();
  jump_.reset();
  doing_(absl::StrCat("waiting for ", name_, " to come online"));
  BERTH_RETURN_IF_ERROR(plan_.fleet.WaitOnline(name_, lifeline.left()));
  doing_(absl::StrCat("running 'true' on ", name_));
  BERTH_ASSIGN_OR_RETURN(const std::string note, plan_.fleet.Prove(name_));
  return absl::StrCat(name_, ": ", changes, note.empty() ? "" : "; ", note);
}

absl::Status Installer::Connect(Lifeline& lifeline) {
  doing_("connecting");
  UniqueFd socket;
  if (plan_.via.has_value()) {
    const std::string where = absl::StrCat("jump host ", plan_.via->text);
    absl::StatusOr<UniqueFd> first = DialSsh(*plan_.via, lifeline);
    if (!first.ok()) return Within(where, first.status());
    absl::StatusOr<SshSession> middle =
        SshSession::Start(*plan_.via, *std::move(first), plan_.rules);
    if (!middle.ok()) return Within(where, middle.status());
    BERTH_ASSIGN_OR_RETURN(jump_, Jump::Open(*std::move(middle), target_));
    socket = jump_->TakeSocket();
    lifeline.Guard(socket.get());
  } else {
    BERTH_ASSIGN_OR_RETURN(socket, DialSsh(target_, lifeline));
  }
  doing_("logging in");
  BERTH_ASSIGN_OR_RETURN(
      session_, SshSession::Start(target_, std::move(socket), plan_.rules));
  return absl::OkStatus();
}

absl::StatusOr<HostState> Installer::Probe() {
  const InstallOptions& options = plan_.options;
  BERTH_ASSIGN_OR_RETURN(
      const RemoteResult result,
      session_->Run(absl::StrCat(options.sudo ? "sudo -n " : "", "sh -s -- ",
                                 ShellQuote(options.state_directory), " ",
                                 ShellQuote(options.prefix)),
                    kProbeScript));
  if (options.sudo && result.exit_status != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        "'sudo -n' there: ", Reason(result),
        "; let that account use sudo without a password, or log in as root"));
  }
  absl::StatusOr<HostState> host = ParseProbe(result.out);
  if (!host.ok() && !result.err.empty()) {
    return Within(host.status().message(),
                  absl::UnavailableError(Reason(result)));
  }
  return host;
}

absl::Status Installer::CheckHost(const HostState& host) const {
  if (host.system != "Linux") {
    return absl::FailedPreconditionError(
        absl::StrCat("it runs ", host.system, "; agents are for Linux alone"));
  }
  if (host.machine != plan_.payload.machine) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is ", host.machine, ", and the programs are for ",
                     plan_.payload.machine,
                     ": build them for it, and name their directory "
                     "with --from"));
  }
  if (host.bash.empty()) {
    return absl::FailedPreconditionError(
        "it has no bash, which installing and sessions take");
  }
  return absl::OkStatus();
}

absl::Status Installer::Identify(const HostState& host) {
  BERTH_ASSIGN_OR_RETURN(const Membership membership,
                         MembershipOf(host, plan_.ca_pem));
  joined_ = membership.joined;
  broker_ = plan_.broker;
  name_ = !target_.computer.empty()     ? target_.computer
          : !plan_.options.name.empty() ? plan_.options.name
          : !membership.name.empty()    ? membership.name
                                        : host.host;
  BERTH_RETURN_IF_ERROR(berth::CheckName("computer", name_));
  BERTH_RETURN_IF_ERROR(CheckName(membership));
  if (joined_) {
    if (!plan_.options.broker.empty() && plan_.options.broker != host.broker) {
      return absl::FailedPreconditionError(absl::StrCat(
          "it has joined by way of ", host.broker,
          "; for another way run 'berth-agent leave --keep-sessions' on it "
          "first"));
    }
    broker_ = host.broker;
  }
  return absl::OkStatus();
}

absl::Status Installer::CheckName(const Membership& membership) {
  if (membership.joined && name_ != membership.name) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it is '", membership.name, "' in this fleet already, not '", name_,
        "'; to give it another name run 'berth-agent leave' on it first"));
  }
  if (!plan_.claims.Claim(name_)) {
    return absl::AlreadyExistsError(
        absl::StrCat("another of these hosts is '", name_,
                     "', too; give it another name: NAME=HOST"));
  }
  const auto known = plan_.known.find(name_);
  if (membership.name == name_ || known == plan_.known.end()) {
    return absl::OkStatus();
  }
  const bool online = known->second.state() == v1::COMPUTER_STATE_ONLINE;
  if (!online && plan_.options.replace) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      "a computer named '", name_, "' is in the fleet already, ",
      online ? "and online" : "offline now",
      ", and this host is not it; give "
      "it another name (NAME=HOST)",
      online ? "" : ", or --replace if it takes that one's place"));
}

absl::StatusOr<std::string> Installer::InstallFrom(const std::string& staging,
                                                   const HostState& host) {
  BERTH_RETURN_IF_ERROR(Copy(staging, host));
  doing_(joined_ ? "installing" : "installing and joining");
  return Enable(staging);
}

absl::Status Installer::Copy(const std::string& staging,
                             const HostState& host) {
  std::vector<const PayloadFile*> files;
  for (const PayloadFile& program : plan_.payload.programs) {
    const auto there = host.programs.find(program.name);
    if (there == host.programs.end() || there->second != program.sha256) {
      files.push_back(&program);
    }
  }
  for (const PayloadFile& other : plan_.payload.others) files.push_back(&other);
  size_t total = 0;
  for (const PayloadFile* file : files) total += file->data.size();
  size_t before = 0;
  int percent = -1;
  std::string sums;
  for (const PayloadFile* file : files) {
    const auto progress = [&](size_t done) {
      const int now = static_cast<int>((before + done) * 100 / total);
      if (std::exchange(percent, now) != now) {
        doing_(absl::StrCat("copying ", total >> 20, " MiB: ", now, "%"));
      }
    };
    BERTH_RETURN_IF_ERROR(
        session_->Upload(file->data, absl::StrCat(staging, "/", file->name),
                         file->mode, progress));
    before += file->data.size();
    absl::StrAppend(&sums, file->sha256, "  ", file->name, "\n");
  }
  doing_("checking");
  BERTH_ASSIGN_OR_RETURN(
      const RemoteResult checked,
      session_->Run(absl::StrCat("cd ", ShellQuote(staging),
                                 " && sha256sum -c >/dev/null"),
                    sums));
  if (checked.exit_status != 0) {
    return absl::DataLossError(absl::StrCat(
        "what came there is not what was sent: ", Reason(checked)));
  }
  return absl::OkStatus();
}

std::string Installer::EnableCommand(const std::string& staging) const {
  const InstallOptions& options = plan_.options;
  std::string command = options.sudo ? "sudo -n " : "";
  if (!options.prefix.empty()) {
    absl::StrAppend(&command, "env BERTH_PREFIX=", ShellQuote(options.prefix),
                    " ");
  }
  absl::StrAppend(&command, "bash ", staging, "/enable-computer --broker ",
                  ShellQuote(broker_), " --ca ", staging, "/ca.pem --name ",
                  ShellQuote(name_));
  for (const std::string& label : options.labels) {
    absl::StrAppend(&command, " --label ", ShellQuote(label));
  }
  if (!options.state_directory.empty()) {
    absl::StrAppend(&command, " --state-dir ",
                    ShellQuote(options.state_directory));
  }
  if (options.plain) absl::StrAppend(&command, " --plain");
  if (!joined_) absl::StrAppend(&command, " --token-file -");
  return command;
}

absl::StatusOr<std::string> Installer::Enable(const std::string& staging) {
  FleetSide::Token token;
  if (!joined_) {
    BERTH_ASSIGN_OR_RETURN(
        token,
        plan_.fleet.CreateToken(
            name_, plan_.options.timeout.value_or(kTimeout) + kTokenSlack));
  }
  const absl::StatusOr<RemoteResult> result = session_->Run(
      EnableCommand(staging), joined_ ? "" : absl::StrCat(token.secret, "\n"));
  const bool ok = result.ok() && result->exit_status == 0;
  if (!ok && !joined_) plan_.fleet.RemoveToken(token);
  BERTH_RETURN_IF_ERROR(result.status());
  if (!ok) return absl::InternalError(Reason(*result));
  std::vector<std::string> changes;
  for (absl::string_view line :
       absl::StrSplit(result->out, '\n', absl::SkipEmpty())) {
    if (!absl::StartsWith(line, "already joined")) changes.emplace_back(line);
  }
  return changes.empty() ? "was installed already; nothing to change"
                         : absl::StrJoin(changes, "; ");
}

}  // namespace berth::cli
