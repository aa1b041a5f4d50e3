#include "cli/commands/admin_audit.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "cli/client/call.h"
#include "cli/client/sessions.h"
#include "cli/commands/parser.h"
#include "cli/render/table.h"
#include "cli/run/exit_status.h"

namespace berth::cli {
namespace {

// The exit status if the log was changed.
constexpr int kChangedExit = 2;
// A whole log is read.
constexpr absl::Duration kVerifyTimeout = absl::Hours(1);

std::string Join(absl::string_view a, absl::string_view b) {
  return absl::StrCat(a, a.empty() || b.empty() ? "" : " ", b);
}

std::string SessionText(const v1::AuditRecord& record) {
  if (record.session_id().empty() && record.session_name().empty()) {
    return record.session();
  }
  return Join(record.session_id(), record.session_name());
}

std::string WhatText(const v1::AuditRecord& record) {
  std::string what = Join(record.text(), record.detail());
  if (record.reason().empty()) return what;
  return Join(what, absl::StrCat("(", record.reason(), ")"));
}

// Prints records, in one of the formats.
class Printer {
 public:
  Printer(Invocation& invocation, bool json)
      : invocation_(invocation),
        json_(json),
        table_({{"Time", 19},
                {"User", 10},
                {"Verb", 12},
                {"Outcome", 7},
                {"Computer", 10},
                {"Session", 10},
                {"From", 16},
                {"What"}}) {}

  // False: it can't be written.
  template <typename Records>
  bool Print(const Records& records) {
    std::string text;
    for (const v1::AuditRecord& record : records) {
      if (json_) {
        // The broker is trusted to write JSON, but not with this terminal.
        absl::StrAppend(&text, EscapeJson(record.json()), "\n");
      } else {
        table_.AddRow(
            {absl::FormatTime("%Y-%m-%d %H:%M:%S", FromProto(record.time()),
                              absl::LocalTimeZone()),
             record.user(), record.verb(), record.outcome(), record.computer(),
             SessionText(record), record.peer(), WhatText(record)});
      }
    }
    if (!json_) text = table_.Render();
    status_ = invocation_.out().Write(text);
    return status_.ok();
  }

 private:
  Invocation& invocation_;
  const bool json_;
  Table table_;
  absl::Status status_;
};

// Reads a stream of pages to its end.
template <typename Stream, typename Page>
int PrintAll(Invocation& invocation, Connection& connection,
             grpc::ClientContext& context, Stream& stream, Page page,
             Printer& printer) {
  SignalSource::Watch watch(invocation.signals(),
                            [&](bool) { context.TryCancel(); });
  bool written = true;
  while (stream->Read(&page)) {
    written = written && printer.Print(page.records());
    if (!written) context.TryCancel();
  }
  const absl::Status status = ToStatus(connection, context, stream->Finish());
  if (invocation.signals().left()) return invocation.signals().exit_code();
  if (!written) return kPipeExit;
  return status.ok() ? 0 : invocation.Fail(status);
}

}  // namespace

absl::StatusOr<std::string> AdminAudit::StatusText(Invocation& invocation,
                                                   Connection& connection) {
  auto stub = v1::Audit::NewStub(connection.channel().shared_from_this());
  v1::GetAuditStatusResponse answer;
  const absl::Status status = Call(connection, invocation.signals(), *stub,
                                   &v1::Audit::Stub::GetAuditStatus,
                                   v1::GetAuditStatusRequest(), answer);
  // Brokers of the version before have no such method, and refuse it.
  if (absl::IsPermissionDenied(status) || absl::IsUnimplemented(status)) {
    return "";
  }
  if (!status.ok()) return status;
  return absl::StrCat(
      "audit log   ", answer.strict() ? "strict, " : "best-effort, ",
      answer.problem().empty() ? "can be written"
                               : EscapeForTerminal(answer.problem()),
      "; since the start ", answer.events_written(), " events written, ",
      answer.events_dropped(), " dropped, ", answer.requests_refused(),
      " requests refused\n");
}

AdminAudit::AdminAudit(CLI::App& app) {
  audit_ = app.add_subcommand("audit", "The broker's audit log");
  audit_->require_subcommand(1);
  verify_ = audit_->add_subcommand(
      "verify", "Finds out whether a line was changed, removed or put in");
  search_ = audit_->add_subcommand("search", "The last events that fit");
  search_->add_option("--limit", limit_, "at most so many (100; 10000 at most)")
      ->check(CLI::Range(1u, 10'000u));
  AddFilter(*search_);
  tail_ = audit_->add_subcommand("tail", "Events as they come, until Ctrl-C");
  tail_
      ->add_option("-n,--lines", before_,
                   "how many lines from before to look at (10)")
      ->check(CLI::Range(0u, 10'000u));
  AddFilter(*tail_);
}

void AdminAudit::AddFilter(CLI::App& app) {
  app.add_option("--user", users_,
                 "who did it; \"x*\" for any with x in front");
  app.add_option("-c,--computer", computers_, "where");
  app.add_option("-s,--session", sessions_,
                 "of a session: its number, name or instance id");
  app.add_option("--verb", verbs_,
                 "what: run, enter, create, link.up, \"audit.*\" ...");
  app.add_option("--outcome", outcomes_,
                 "allowed, denied, failed, asked or done");
  Parser::AddTime(app, "--since", since_, "no longer ago than this");
  Parser::AddTime(app, "--until", until_, "at least this long ago");
  app.add_option("--text", text_, "anywhere in the event, in any case");
  app.add_option("-o", format_, "table, or json: lines as they are in the log")
      ->check(CLI::IsMember({"table", "json"}));
}

v1::AuditFilter AdminAudit::Filter() const {
  v1::AuditFilter filter;
  const auto add = [](const std::vector<std::string>& from, auto* to) {
    for (std::string& value : SplitLists(from)) to->Add(std::move(value));
  };
  add(users_, filter.mutable_users());
  add(computers_, filter.mutable_computers());
  add(sessions_, filter.mutable_sessions());
  add(verbs_, filter.mutable_verbs());
  add(outcomes_, filter.mutable_outcomes());
  const absl::Time now = absl::Now();
  if (since_) *filter.mutable_since() = ToProto(now - *since_);
  if (until_) *filter.mutable_until() = ToProto(now - *until_);
  filter.set_text(text_);
  return filter;
}

int AdminAudit::Verify(Invocation& invocation, Connection& connection) {
  auto stub = v1::Audit::NewStub(connection.channel().shared_from_this());
  v1::VerifyAuditResponse report;
  const absl::Status status = Call(
      connection, invocation.signals(), *stub, &v1::Audit::Stub::VerifyAudit,
      v1::VerifyAuditRequest(), report, kVerifyTimeout);
  if (!status.ok()) return invocation.Fail(status);
  std::string text = absl::StrCat(
      report.finding().empty() ? "intact: " : "CHANGED: ", report.lines(),
      " lines, ", report.first_seq(), " to ", report.last_seq(), "\n");
  if (report.signed_through() > 0) {
    absl::StrAppend(&text, "signed through line ", report.signed_through(),
                    "\n");
  }
  for (const std::string& note : report.notes()) {
    absl::StrAppend(&text, "note: ", EscapeForTerminal(note), "\n");
  }
  const int exit = invocation.Print(text);
  if (report.finding().empty()) return exit;
  return invocation.Fail(absl::DataLossError(absl::StrCat(
                             "the audit log was changed: ", report.finding())),
                         kChangedExit);
}

int AdminAudit::Search(Invocation& invocation, Connection& connection) {
  auto stub = v1::Audit::NewStub(connection.channel().shared_from_this());
  grpc::ClientContext context;
  v1::SearchAuditRequest request;
  *request.mutable_filter() = Filter();
  request.set_limit(limit_);
  Printer printer(invocation, format_ == "json");
  auto stream = stub->SearchAudit(&context, request);
  return PrintAll(invocation, connection, context, stream,
                  v1::SearchAuditResponse(), printer);
}

int AdminAudit::Tail(Invocation& invocation, Connection& connection) {
  auto stub = v1::Audit::NewStub(connection.channel().shared_from_this());
  grpc::ClientContext context;
  v1::TailAuditRequest request;
  *request.mutable_filter() = Filter();
  request.set_lines_before(before_);
  Printer printer(invocation, format_ == "json");
  auto stream = stub->TailAudit(&context, request);
  return PrintAll(invocation, connection, context, stream,
                  v1::TailAuditResponse(), printer);
}

int AdminAudit::Run(Invocation& invocation, Connection& connection) {
  if (verify_->parsed()) return Verify(invocation, connection);
  return search_->parsed() ? Search(invocation, connection)
                           : Tail(invocation, connection);
}

}  // namespace berth::cli
