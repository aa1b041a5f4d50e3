#include "cli/commands/admin_policy.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/policy/policy.h"
#include "cli/client/call.h"
#include "cli/fanout/line_diff.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

std::string When(const v1::PolicyVersion& version) {
  if (!version.has_applied_at()) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", FromProto(version.applied_at()),
                          absl::LocalTimeZone());
}

std::string Label(const v1::PolicyVersion& version) {
  std::string text = absl::StrCat("version ", version.version());
  if (version.built_in()) absl::StrAppend(&text, " (built-in)");
  return text;
}

// A text of many lines, with what could act on a terminal made visible.
std::string EscapeLines(absl::string_view text) {
  std::string escaped;
  for (absl::string_view line :
       absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    absl::StrAppend(&escaped, EscapeForTerminal(line), "\n");
  }
  return escaped;
}

// How `b` differs from `a`, for people.
std::string Difference(const std::string& a_label, absl::string_view a,
                       const std::string& b_label, absl::string_view b) {
  const std::optional<std::string> difference = LineDiff(a, b);
  if (difference.has_value() && difference->empty()) return "";
  return absl::StrCat(
      "--- ", a_label, "\n+++ ", b_label, "\n",
      difference.has_value()
          ? EscapeLines(*difference)
          : "they differ too much to be compared: see `berth admin policy "
            "show VERSION`\n");
}

}  // namespace

AdminPolicy::AdminPolicy(CLI::App& app) {
  AddPolicy(app);
  AddQuestions(app);
}

void AdminPolicy::AddPolicy(CLI::App& app) {
  policy_ = app.add_subcommand("policy", "Who may do what on which computers");
  policy_->require_subcommand(1);
  apply_ = policy_->add_subcommand("apply", "Makes a file the policy");
  check_ = policy_->add_subcommand(
      "check", "Says whether a file can be read; needs no broker");
  for (CLI::App* verb : {apply_, check_}) {
    verb->add_option("-f,--file", file_, "the policy")
        ->required()
        ->type_name("FILE");
  }
  show_ = policy_->add_subcommand("show", "Prints a version; else the current");
  history_ = policy_->add_subcommand("history", "Lists the versions");
  diff_ = policy_->add_subcommand(
      "diff",
      "Compares two versions; else one with the current, or the "
      "current with the one before");
  roll_back_ = policy_->add_subcommand(
      "rollback", "Applies an earlier version again; 0 is the built-in one");
  show_->add_option("version", version_, "such as 3");
  diff_->add_option("version", version_, "such as 3");
  diff_->add_option("other", other_version_, "such as 4");
  roll_back_->add_option("version", version_, "such as 3")->required();
  for (CLI::App* verb : {apply_, roll_back_}) {
    verb->add_flag("--dry-run", dry_run_,
                   "only check it, and show what would change");
    verb->add_option("--expect", expected_,
                     "do so only if this version is the current one")
        ->type_name("VERSION");
  }
}

bool AdminPolicy::parsed() const {
  return policy_->parsed() || can_i_->parsed() || who_can_->parsed();
}

absl::StatusOr<std::string> AdminPolicy::ReadText(
    Invocation& invocation) const {
  return ReadFile(invocation.AbsolutePath(file_));
}

int AdminPolicy::Check(Invocation& invocation) {
  const absl::StatusOr<std::string> text = ReadText(invocation);
  if (!text.ok()) return invocation.Fail(text.status());
  const auto policy = broker::Policy::Parse(*text, file_);
  if (!policy.ok()) return invocation.Fail(policy.status());
  return invocation.Print(absl::StrCat(EscapeForTerminal(file_),
                                       ": can be read, and has ",
                                       (*policy)->roles().size(), " roles\n"));
}

int AdminPolicy::Run(Invocation& invocation, Connection& connection) {
  invocation_ = &invocation;
  connection_ = &connection;
  stub_ = v1::Policies::NewStub(connection.channel().shared_from_this());
  if (apply_->parsed()) return Apply();
  if (show_->parsed()) return Show();
  if (history_->parsed()) return History();
  if (diff_->parsed()) return Diff();
  if (roll_back_->parsed()) return RollBack();
  return can_i_->parsed() ? CanI() : WhoCan();
}

absl::StatusOr<v1::PolicyVersion> AdminPolicy::Fetch(
    std::optional<uint32_t> version) {
  v1::GetPolicyRequest request;
  if (version.has_value()) request.set_version(*version);
  v1::PolicyVersion response;
  BERTH_RETURN_IF_ERROR(Call(*connection_, invocation_->signals(), *stub_,
                             &v1::Policies::Stub::GetPolicy, request,
                             response));
  return response;
}

int AdminPolicy::Tell(const v1::ApplyPolicyResponse& response,
                      const std::string& difference) {
  for (const std::string& warning : response.warnings()) {
    invocation_->Say(absl::StrCat("warning: ", warning));
  }
  const std::string label = Label(response.policy());
  if (!dry_run_) {
    return invocation_->Print(absl::StrCat(label, " of the policy holds; ",
                                           "before it did version ",
                                           response.previous(), "\n"));
  }
  return invocation_->Print(
      absl::StrCat(difference.empty() ? "nothing would change\n" : difference,
                   label, " of the policy can be applied; nothing was\n"));
}

int AdminPolicy::Apply() {
  absl::StatusOr<std::string> text = ReadText(*invocation_);
  if (!text.ok()) return invocation_->Fail(text.status());
  v1::ApplyPolicyRequest request;
  request.set_text(*text);
  request.set_dry_run(dry_run_);
  if (expected_.has_value()) request.set_expected_version(*expected_);
  v1::ApplyPolicyResponse response;
  absl::Status status =
      Call(*connection_, invocation_->signals(), *stub_,
           &v1::Policies::Stub::ApplyPolicy, request, response);
  if (!status.ok()) {
    // The broker has no name for the file.
    absl::string_view message = status.message();
    if (absl::ConsumePrefix(&message, "policy:")) {
      status = absl::Status(status.code(), absl::StrCat(file_, ":", message));
    }
    return invocation_->Fail(status);
  }
  std::string difference;
  if (dry_run_) {
    const absl::StatusOr<v1::PolicyVersion> now = Fetch(std::nullopt);
    if (!now.ok()) return invocation_->Fail(now.status());
    difference = Difference(Label(*now), now->text(), file_, *text);
  }
  return Tell(response, difference);
}

int AdminPolicy::RollBack() {
  v1::RollBackPolicyRequest request;
  request.set_version(*version_);
  request.set_dry_run(dry_run_);
  if (expected_.has_value()) request.set_expected_version(*expected_);
  v1::ApplyPolicyResponse response;
  const absl::Status status =
      Call(*connection_, invocation_->signals(), *stub_,
           &v1::Policies::Stub::RollBackPolicy, request, response);
  if (!status.ok()) return invocation_->Fail(status);
  std::string difference;
  if (dry_run_) {
    const absl::StatusOr<v1::PolicyVersion> now = Fetch(std::nullopt);
    if (!now.ok()) return invocation_->Fail(now.status());
    const absl::StatusOr<v1::PolicyVersion> then = Fetch(version_);
    if (!then.ok()) return invocation_->Fail(then.status());
    difference =
        Difference(Label(*now), now->text(), Label(*then), then->text());
  }
  return Tell(response, difference);
}

int AdminPolicy::Show() {
  const absl::StatusOr<v1::PolicyVersion> version = Fetch(version_);
  if (!version.ok()) return invocation_->Fail(version.status());
  std::string head = absl::StrCat("# ", Label(*version));
  if (version->has_applied_at()) {
    absl::StrAppend(&head, ", applied ", When(*version), " by ",
                    EscapeForTerminal(version->applied_by()));
  }
  if (!version->current()) absl::StrAppend(&head, "; it does not hold now");
  return invocation_->Print(
      absl::StrCat(head, "\n", EscapeLines(version->text())));
}

int AdminPolicy::History() {
  const v1::ListPolicyVersionsRequest request;
  v1::ListPolicyVersionsResponse response;
  const absl::Status status =
      Call(*connection_, invocation_->signals(), *stub_,
           &v1::Policies::Stub::ListPolicyVersions, request, response);
  if (!status.ok()) return invocation_->Fail(status);
  if (response.versions().empty()) {
    invocation_->Say("no policy was applied yet: the built-in one holds");
  }
  Table table({{"Version", 7, true}, {"Applied", 19}, {"By", 12}, {"What"}});
  for (const v1::PolicyVersion& version : response.versions()) {
    std::vector<std::string> what;
    if (version.current()) what.push_back("holds now");
    if (version.built_in()) what.push_back("built-in");
    if (version.has_restores() && version.restores() != 0) {
      what.push_back(absl::StrCat("as version ", version.restores()));
    }
    table.AddRow({absl::StrCat(version.version()), When(version),
                  version.applied_by(), absl::StrJoin(what, ", ")});
  }
  return invocation_->Print(table.Render());
}

int AdminPolicy::Diff() {
  const absl::StatusOr<v1::PolicyVersion> last = Fetch(other_version_);
  if (!last.ok()) return invocation_->Fail(last.status());
  if (!version_.has_value()) {
    if (last->version() == 0) {
      return invocation_->Fail(absl::FailedPreconditionError(
          "no policy was applied yet: the built-in one holds"));
    }
    version_ = last->version() - 1;
  }
  const absl::StatusOr<v1::PolicyVersion> first = Fetch(version_);
  if (!first.ok()) return invocation_->Fail(first.status());
  return invocation_->Print(
      Difference(Label(*first), first->text(), Label(*last), last->text()));
}

}  // namespace berth::cli
