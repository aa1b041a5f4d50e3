#include "cli/commands/approval.h"

#include <optional>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/client/call.h"
#include "cli/client/connection.h"
#include "cli/commands/parser.h"
#include "cli/render/format.h"
#include "cli/render/table.h"

namespace berth::cli {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  berth approval request prod-db --reason 'INC-42' --wait\n"
    "  berth approval ls\n"
    "  berth approval approve 3f9c01ab\n"
    "  berth approval deny 3f9c01ab --reason 'wait for the backup'\n"
    "  berth approval withdraw 3f9c01ab\n";

// "granted", of APPROVAL_STATE_GRANTED.
std::string StateName(const v1::Approval& approval) {
  constexpr absl::string_view kPrefix = "APPROVAL_STATE_";
  const std::string& name = v1::ApprovalState_Name(approval.state());
  return absl::AsciiStrToLower(
      absl::string_view(name).substr(std::min(kPrefix.size(), name.size())));
}

std::string When(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", FromProto(time),
                          absl::LocalTimeZone());
}

// The subcommands of one invocation.
class ApprovalCommand {
 public:
  explicit ApprovalCommand(CLI::App& app)
      : request_(app.add_subcommand(
            "request", "Asks for what a role grants after approvals")),
        ls_(app.add_subcommand(
            "ls", "Lists your requests, and those that you may decide")),
        approve_(app.add_subcommand("approve", "Agrees to requests")),
        deny_(app.add_subcommand("deny", "Refuses requests")),
        withdraw_(app.add_subcommand(
            "withdraw", "Takes requests back, or ends what they grant")) {
    request_->add_option("role", role_, "the role, as in the policy")
        ->required();
    Parser::AddTime(*request_, "--for", lifetime_,
                    "for how long (as long as the role allows)");
    request_->add_flag("--wait", wait_,
                       "wait until it is decided; exits with 1 if it is not "
                       "granted");
    ls_->add_flag("--all", all_, "those of the last week that are over, too");
    Parser::AddFormat(*ls_, format_);
    for (CLI::App* one : {approve_, deny_, withdraw_}) {
      one->add_option("id", ids_, "as 'approval ls' shows them")->required();
    }
    for (CLI::App* one : {request_, deny_, withdraw_}) {
      one->add_option("--reason", reason_, "why, for the others");
    }
  }

  int Run(Invocation& invocation, Connection& connection) {
    if (request_->parsed()) return Request(invocation, connection);
    if (ls_->parsed()) return List(invocation, connection);
    return EachOf(invocation, connection);
  }

 private:
  int Request(Invocation& invocation, Connection& connection) {
    v1::RequestApprovalRequest request;
    request.set_role(role_);
    request.set_reason(reason_);
    if (lifetime_) *request.mutable_lifetime() = ToProto(*lifetime_);
    v1::RequestApprovalResponse response;
    const absl::Status status =
        Call(connection, invocation.signals(), connection.approvals(),
             &v1::Approvals::Stub::RequestApproval, request, response);
    if (!status.ok()) return invocation.Fail(status);
    const v1::Approval& made = response.approval();
    const int printed = invocation.Print(EscapeForTerminal(made.id()) + "\n");
    if (!wait_) return printed;
    invocation.Say(absl::StrCat("request ", made.id(), " waits for ",
                                made.needed(),
                                made.needed() == 1 ? " approval" : " approvals",
                                ", until ", When(made.ends_at())));
    return Wait(invocation, connection, made.id());
  }

  int Wait(Invocation& invocation, Connection& connection,
           const std::string& id) {
    v1::WaitForApprovalRequest request;
    request.set_id(id);
    v1::WaitForApprovalResponse response;
    absl::Status status;
    do {
      // The broker answers after a minute, decided or not.
      status = Call(connection, invocation.signals(), connection.approvals(),
                    &v1::Approvals::Stub::WaitForApproval, request, response,
                    absl::Minutes(2));
    } while (absl::IsDeadlineExceeded(status));
    if (!status.ok()) return invocation.Fail(status);
    const v1::Approval& now = response.approval();
    invocation.Say(Describe(now));
    return now.state() == v1::APPROVAL_STATE_GRANTED ? 0 : 1;
  }

  static std::string Describe(const v1::Approval& approval) {
    std::string text = absl::StrCat(
        "request ", EscapeForTerminal(approval.id()), " for role '",
        EscapeForTerminal(approval.role()), "' is ", StateName(approval));
    if (approval.state() == v1::APPROVAL_STATE_GRANTED) {
      absl::StrAppend(&text, " until ", When(approval.ends_at()));
    }
    if (!approval.closed_by().empty()) {
      absl::StrAppend(&text, " by ", EscapeForTerminal(approval.closed_by()));
    }
    if (!approval.close_reason().empty()) {
      absl::StrAppend(&text, ": ", EscapeForTerminal(approval.close_reason()));
    }
    return text;
  }

  int List(Invocation& invocation, Connection& connection) {
    v1::ListApprovalsRequest request;
    request.set_all(all_);
    v1::ListApprovalsResponse response;
    const absl::Status status =
        Call(connection, invocation.signals(), connection.approvals(),
             &v1::Approvals::Stub::ListApprovals, request, response);
    if (!status.ok()) return invocation.Fail(status);
    if (format_ == Format::kJson || format_ == Format::kJsonl) {
      return invocation.Print(ToJson(response.approvals(), format_));
    }
    Table table({{"Id", 8},
                 {"User", 10},
                 {"Role", 12},
                 {"State", 9},
                 {"Approved", 8},
                 {"Ends", 19},
                 {"By", 10},
                 {"Reason"}});
    std::string names;
    for (const v1::Approval& approval : response.approvals()) {
      absl::StrAppend(&names, EscapeForTerminal(approval.id()), "\n");
      table.AddRow(
          {approval.id(), approval.user(), approval.role(), StateName(approval),
           absl::StrCat(approval.approved_by_size(), "/", approval.needed()),
           When(approval.ends_at()), absl::StrJoin(approval.approved_by(), ","),
           approval.reason()});
    }
    return invocation.Print(format_ == Format::kName ? names : table.Render());
  }

  int EachOf(Invocation& invocation, Connection& connection) {
    for (const std::string& id : ids_) {
      const auto approval = withdraw_->parsed()
                                ? Withdraw(invocation, connection, id)
                                : Decide(invocation, connection, id);
      if (!approval.ok()) return invocation.Fail(approval.status());
      const int printed = invocation.Print(Describe(*approval) + "\n");
      if (printed != 0) return printed;
    }
    return 0;
  }

  absl::StatusOr<v1::Approval> Decide(Invocation& invocation,
                                      Connection& connection,
                                      const std::string& id) {
    v1::DecideApprovalRequest request;
    request.set_id(id);
    request.set_approve(approve_->parsed());
    request.set_reason(reason_);
    v1::DecideApprovalResponse response;
    const absl::Status status =
        Call(connection, invocation.signals(), connection.approvals(),
             &v1::Approvals::Stub::DecideApproval, request, response);
    if (!status.ok()) return status;
    return std::move(*response.mutable_approval());
  }

  absl::StatusOr<v1::Approval> Withdraw(Invocation& invocation,
                                        Connection& connection,
                                        const std::string& id) {
    v1::WithdrawApprovalRequest request;
    request.set_id(id);
    request.set_reason(reason_);
    v1::WithdrawApprovalResponse response;
    const absl::Status status =
        Call(connection, invocation.signals(), connection.approvals(),
             &v1::Approvals::Stub::WithdrawApproval, request, response);
    if (!status.ok()) return status;
    return std::move(*response.mutable_approval());
  }

  CLI::App* const request_;
  CLI::App* const ls_;
  CLI::App* const approve_;
  CLI::App* const deny_;
  CLI::App* const withdraw_;
  std::string role_;
  std::string reason_;
  std::optional<absl::Duration> lifetime_;
  bool wait_ = false;
  bool all_ = false;
  std::vector<std::string> ids_;
  Format format_ = Format::kTable;
};

}  // namespace

int RunApproval(Invocation& invocation, std::vector<std::string> words) {
  Parser parser("approval",
                "What a role grants only after others have agreed: ask for it, "
                "and agree.",
                kExamples);
  parser.app().require_subcommand(1);
  ApprovalCommand command(parser.app());
  parser.AddContext();
  if (const auto exit = parser.Parse(invocation, std::move(words))) {
    return *exit;
  }
  const auto connection = parser.Connect(invocation);
  if (!connection.ok()) return invocation.Fail(connection.status());
  return command.Run(invocation, **connection);
}

}  // namespace berth::cli
