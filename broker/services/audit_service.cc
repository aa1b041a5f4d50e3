#include "broker/services/audit_service.h"

#include <algorithm>
#include <deque>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/audit/search.h"
#include "broker/audit/verify.h"
#include "broker/services/audit_stream.h"

namespace berth::broker {
namespace {

constexpr uint32_t kMaxRecords = 10'000;
constexpr uint32_t kUsualRecords = 1'000;
constexpr int kMaxValues = 100;
constexpr absl::Duration kPoll = absl::Milliseconds(200);

absl::Status TakeList(
    absl::string_view what,
    const google::protobuf::RepeatedPtrField<std::string>& from,
    std::vector<std::string>* to) {
  if (from.size() > kMaxValues) {
    return absl::InvalidArgumentError(absl::StrCat("the filter has ",
                                                   from.size(), " ", what, ", ",
                                                   kMaxValues, " at most"));
  }
  to->assign(from.begin(), from.end());
  return absl::OkStatus();
}

absl::StatusOr<AuditFilter> FilterFrom(const v1::AuditFilter& from) {
  AuditFilter filter;
  BERTH_RETURN_IF_ERROR(TakeList("users", from.users(), &filter.users));
  BERTH_RETURN_IF_ERROR(
      TakeList("computers", from.computers(), &filter.computers));
  BERTH_RETURN_IF_ERROR(
      TakeList("sessions", from.sessions(), &filter.sessions));
  BERTH_RETURN_IF_ERROR(TakeList("verbs", from.verbs(), &filter.verbs));
  BERTH_RETURN_IF_ERROR(
      TakeList("outcomes", from.outcomes(), &filter.outcomes));
  if (from.has_since()) filter.since = FromProto(from.since());
  if (from.has_until()) filter.until = FromProto(from.until());
  filter.text = absl::AsciiStrToLower(from.text());
  return filter;
}

v1::AuditRecord RecordOf(const AuditLine& line, absl::string_view text) {
  const AuditEvent& event = line.event;
  v1::AuditRecord record;
  record.set_seq(line.seq);
  *record.mutable_time() = ToProto(event.time);
  record.set_verb(event.verb);
  record.set_outcome(event.outcome);
  record.set_code(event.code);
  record.set_reason(event.reason);
  record.set_user(event.user);
  record.set_purpose(event.purpose);
  record.set_peer(event.peer);
  record.set_session(event.session);
  record.set_session_id(event.session_id);
  record.set_session_name(event.session_name);
  record.set_owner(event.owner);
  record.set_computer(event.computer);
  record.set_configuration(event.configuration);
  record.set_text(event.text);
  record.set_detail(event.detail);
  record.set_json(std::string(text));
  return record;
}

using SearchStream = AuditStream<v1::SearchAuditResponse>;
using TailStream = AuditStream<v1::TailAuditResponse>;

absl::Status Search(const AuditLog& log, const AuditFilter& filter,
                    size_t limit, SearchStream& stream) {
  AuditCursor cursor(log.directory(), 0);
  const uint64_t last = log.head().seq;
  std::deque<v1::AuditRecord> found;
  AuditLine line;
  absl::string_view text;
  for (uint64_t lines = 0; cursor.Next(last, &line, &text); ++lines) {
    if (lines % 1000 == 0 && stream.over()) return absl::OkStatus();
    if (!filter.Matches(line, text)) continue;
    found.push_back(RecordOf(line, text));
    if (found.size() > limit) found.pop_front();
  }
  while (!found.empty()) {
    v1::SearchAuditResponse page;
    while (!found.empty() && page.records_size() < SearchStream::kPage) {
      *page.add_records() = std::move(found.front());
      found.pop_front();
    }
    if (!stream.Write(page)) break;
  }
  return absl::OkStatus();
}

absl::Status Tail(AuditLog& log, const AuditFilter& filter, uint64_t seq,
                  TailStream& stream) {
  AuditCursor cursor(log.directory(), seq);
  while (!stream.over()) {
    v1::TailAuditResponse page;
    const uint64_t last = log.head().seq;
    AuditLine line;
    absl::string_view text;
    while (page.records_size() < TailStream::kPage &&
           cursor.Next(last, &line, &text)) {
      seq = line.seq;
      if (filter.Matches(line, text))
        *page.add_records() = RecordOf(line, text);
    }
    if (page.records_size() > 0) {
      if (!stream.Write(page)) break;
    } else if (!log.WaitBeyond(std::max(seq, last), kPoll) && log.stopping()) {
      return absl::UnavailableError("the broker is going down, try again");
    }
  }
  return absl::OkStatus();
}

}  // namespace

AuditService::~AuditService() {
  MutexLock lock(mu_);
  while (readers_ > 0) done_.Wait(mu_);
}

absl::Status AuditService::Start(std::function<void()> work) {
  {
    MutexLock lock(mu_);
    if (readers_ >= kMaxReaders) {
      return absl::ResourceExhaustedError(
          absl::StrCat(readers_, " of ", kMaxReaders,
                       " readers of the audit log are at it; try again when "
                       "one has ended"));
    }
    ++readers_;
  }
  std::thread([this, work = std::move(work)] {
    work();
    MutexLock lock(mu_);
    --readers_;
    done_.NotifyAll();
  }).detach();
  return absl::OkStatus();
}

grpc::ServerWriteReactor<v1::SearchAuditResponse>* AuditService::SearchAudit(
    grpc::CallbackServerContext* context,
    const v1::SearchAuditRequest* request) {
  auto* stream = new SearchStream;
  absl::Status status = log_.TakeRefusal(context);
  auto filter = FilterFrom(request->filter());
  if (status.ok()) status = filter.status();
  const uint32_t limit = request->limit() == 0
                             ? kUsualRecords
                             : std::min(request->limit(), kMaxRecords);
  if (status.ok()) {
    status = Start([this, stream, filter = *filter, limit] {
      stream->End(Search(log_, filter, limit, *stream));
    });
  }
  if (!status.ok()) stream->End(status);
  return stream;
}

grpc::ServerWriteReactor<v1::TailAuditResponse>* AuditService::TailAudit(
    grpc::CallbackServerContext* context, const v1::TailAuditRequest* request) {
  auto* stream = new TailStream;
  absl::Status status = log_.TakeRefusal(context);
  auto filter = FilterFrom(request->filter());
  if (status.ok()) status = filter.status();
  const uint64_t before = std::min(request->lines_before(), kMaxRecords);
  const uint64_t head = log_.head().seq;
  if (status.ok()) {
    status = Start([this, stream, filter = *filter,
                    from = head > before ? head - before : 0] {
      stream->End(Tail(log_, filter, from, *stream));
    });
  }
  if (!status.ok()) stream->End(status);
  return stream;
}

grpc::ServerUnaryReactor* AuditService::GetAuditStatus(
    grpc::CallbackServerContext* context,
    const v1::GetAuditStatusRequest* /*request*/,
    v1::GetAuditStatusResponse* response) {
  response->set_problem(std::string(log_.health().message()));
  response->set_strict(log_.mode() == AuditLog::Mode::kStrict);
  const AuditLog::Counts counts = log_.counts();
  response->set_events_written(counts.written);
  response->set_events_dropped(counts.dropped);
  response->set_requests_refused(counts.refused);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

absl::Status AuditService::Verify(v1::VerifyAuditResponse& response) {
  BERTH_ASSIGN_OR_RETURN(const std::string pem, ReadFile(keys_path_));
  BERTH_ASSIGN_OR_RETURN(const AuditPublicKeys keys,
                         AuditPublicKeys::Parse(pem));
  BERTH_ASSIGN_OR_RETURN(const AuditReport report,
                         VerifyAuditLog(log_.directory(), keys, {log_.head()}));
  response.set_finding(report.finding);
  for (const std::string& note : report.notes) response.add_notes(note);
  response.set_lines(report.lines);
  response.set_first_seq(report.first_seq);
  response.set_last_seq(report.last_seq);
  response.set_signed_through(report.signed_through);
  if (report.signed_through > 0) {
    *response.mutable_signed_at() = ToProto(report.signed_at);
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* AuditService::VerifyAudit(
    grpc::CallbackServerContext* context,
    const v1::VerifyAuditRequest* /*request*/,
    v1::VerifyAuditResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::Status status = log_.TakeRefusal(context);
  if (status.ok()) {
    status = Start([this, reactor, response] {
      reactor->Finish(ToGrpcStatus(Verify(*response)));
    });
  }
  if (!status.ok()) reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace berth::broker
