#include "broker/services/recordings_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "base/grpc_status.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "broker/archive/seals.h"
#include "broker/audit/verify.h"
#include "broker/services/audit_actor.h"
#include "broker/services/audit_stream.h"
#include "broker/services/caller.h"
#include "broker/services/recorder_service.h"

namespace berth::broker {
namespace {

constexpr int kMaxListed = 5'000;
// Below what a message may have, whatever else is in it.
constexpr size_t kPageBytes = 1 << 20;
constexpr absl::Duration kRetireEvery = absl::Hours(1);

using ReadStream = AuditStream<v1::ReadRecordingResponse>;

void SetRecording(const v1::Recording& recording, AuditEvent& event) {
  const v1::RecordingInfo& info = recording.info();
  event.session = info.instance_id();
  event.session_id = absl::StrCat(info.id());
  event.session_name = info.name();
  event.owner = info.owner();
  event.computer = info.computer();
  event.configuration = info.configuration();
}

bool IsNamed(const v1::RecordingInfo& info, const std::string& name) {
  return name.empty() || info.instance_id() == name || info.name() == name ||
         absl::StrCat(info.id()) == name;
}

// Sends a segment in pages. False: the caller has gone.
bool SendSegment(const v1::RecordingSegment& segment, ReadStream& stream) {
  v1::ReadRecordingResponse page;
  size_t bytes = 0;
  for (const v1::RecordingEntry& entry : segment.entries()) {
    bytes += entry.ByteSizeLong();
    *page.add_entries() = entry;
    if (bytes < kPageBytes) continue;
    if (!stream.Write(page)) return false;
    page.Clear();
    bytes = 0;
  }
  return page.entries().empty() || stream.Write(page);
}

}  // namespace

absl::Status RecordingsService::Send(const v1::ReadRecordingRequest& request,
                                     const v1::Recording& recording,
                                     ReadStream& stream) {
  v1::ReadRecordingResponse first;
  *first.mutable_recording() = recording;
  BERTH_ASSIGN_OR_RETURN(
      const Seals seals,
      FindSeals(fleet_.audit().directory(), request.instance_id()));
  BERTH_ASSIGN_OR_RETURN(*first.mutable_finding(),
                         archive_.FindDamage(request.instance_id(), seals));
  if (!stream.Write(first)) return absl::OkStatus();
  const int64_t from =
      request.has_from() ? absl::ToUnixNanos(FromProto(request.from())) : 0;
  BERTH_RETURN_IF_ERROR(archive_.Read(request.instance_id(), from,
                                      request.even_if_changed(),
                                      [&](const v1::RecordingSegment& segment) {
                                        return SendSegment(segment, stream);
                                      }));
  if (first.finding().empty() || request.even_if_changed()) {
    return absl::OkStatus();
  }
  // Also for clients that know nothing of `finding`.
  return absl::DataLossError(first.finding());
}

RecordingsService::~RecordingsService() {
  MutexLock lock(life_->mu);
  life_->over = true;
}

void RecordingsService::BeginRetiring() {
  // If no thread is free now, one will be in an hour.
  threads_.Start([this] { RetireRecordings(archive_, fleet_); }).IgnoreError();
  fleet_.timer().After(kRetireEvery, [this, life = life_] {
    MutexLock lock(life->mu);
    if (!life->over) BeginRetiring();
  });
}

bool RecordingsService::MayRead(const std::string& user,
                                const v1::RecordingInfo& info) {
  v1::Session session;
  session.set_owner(info.owner());
  session.set_computer(info.computer());
  session.set_configuration(info.configuration());
  return fleet_.access().ViewerFor(user).May(session, Verb::kReceive);
}

absl::StatusOr<v1::Recording> RecordingsService::FindFor(
    const std::string& user, const std::string& instance_id) {
  absl::StatusOr<v1::Recording> found = archive_.Find(instance_id);
  if (!found.ok() || MayRead(user, found->info())) return found;
  return absl::NotFoundError(
      absl::StrCat("no recording of session ", instance_id));
}

void RecordingsService::Answer(grpc::CallbackServerContext* context,
                               grpc::ServerUnaryReactor* reactor,
                               std::function<absl::Status()> work) {
  absl::Status status = CheckKept(fleet_, *context);
  if (status.ok()) {
    status = threads_.Start([reactor, work = std::move(work)] {
      reactor->Finish(ToGrpcStatus(work()));
    });
  }
  if (!status.ok()) reactor->Finish(ToGrpcStatus(status));
}

void RecordingsService::List(const std::string& user,
                             const v1::ListRecordingsRequest& request,
                             v1::ListRecordingsResponse& response) {
  const auto wanted = [&](const v1::RecordingInfo& info) {
    return (request.owner().empty() || request.owner() == info.owner()) &&
           IsNamed(info, request.session()) && MayRead(user, info);
  };
  for (v1::Recording& recording : archive_.List(wanted)) {
    if (response.recordings_size() == kMaxListed) {
      response.set_more(true);
      return;
    }
    *response.add_recordings() = std::move(recording);
  }
}

grpc::ServerUnaryReactor* RecordingsService::ListRecordings(
    grpc::CallbackServerContext* context,
    const v1::ListRecordingsRequest* request,
    v1::ListRecordingsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Answer(context, reactor,
         [this, user = CallerName(*context), request, response] {
           List(user, *request, *response);
           return absl::OkStatus();
         });
  return reactor;
}

grpc::ServerWriteReactor<v1::ReadRecordingResponse>*
RecordingsService::ReadRecording(grpc::CallbackServerContext* context,
                                 const v1::ReadRecordingRequest* request) {
  auto* stream = new ReadStream;
  const AuditEvent asked = AuditEventOf(*context, "recording.read",
                                        "/berth.v1.Recordings/ReadRecording");
  const auto send = [this, stream,
                     request = *request](const v1::Recording& recording) {
    return threads_.Start([this, stream, request, recording] {
      stream->End(Send(request, recording, *stream));
    });
  };
  const auto work = [this, stream, send, asked, user = CallerName(*context),
                     id = request->instance_id()] {
    AuditEvent event = asked;
    const absl::StatusOr<v1::Recording> found = FindFor(user, id);
    SetOutcome(found.status(), event);
    if (!found.ok()) {
      event.session = id;
      fleet_.audit().Record(std::move(event));
      return stream->End(found.status());
    }
    SetRecording(*found, event);
    // Nothing is shown before it is written down that it was.
    fleet_.audit().Require(std::move(event), [stream, send, recording = *found](
                                                 const absl::Status& kept) {
      const absl::Status status = kept.ok() ? send(recording) : kept;
      if (!status.ok()) stream->End(status);
    });
  };
  const absl::Status status = threads_.Start(work);
  if (!status.ok()) stream->End(status);
  return stream;
}

absl::StatusOr<std::string> RecordingsService::CheckAuditLog() {
  BERTH_ASSIGN_OR_RETURN(const std::string pem, ReadFile(archive_.keys_path()));
  BERTH_ASSIGN_OR_RETURN(const AuditPublicKeys keys,
                         AuditPublicKeys::Parse(pem));
  const absl::StatusOr<AuditReport> report =
      VerifyAuditLog(fleet_.audit().directory(), keys, {fleet_.audit().head()});
  if (absl::IsNotFound(report.status())) return "";  // Nothing was written yet.
  BERTH_RETURN_IF_ERROR(report.status());
  if (report->intact()) return "";
  return absl::StrCat(
      "the audit log, which has to vouch for the recording, was changed itself "
      "('berth admin audit verify'): ",
      report->finding);
}

absl::StatusOr<v1::VerifyRecordingResponse> RecordingsService::Verify(
    const std::string& user, const std::string& instance_id) {
  const absl::Status may = FindFor(user, instance_id).status();
  // Of one that is damaged or gone nobody knows whose it is, so only who may
  // do anything learns more.
  if (!may.ok() && !fleet_.access().IsAdmin(user)) return may;
  // Before the archive is read: what the log has by now was stored before.
  BERTH_ASSIGN_OR_RETURN(const Seals seals,
                         FindSeals(fleet_.audit().directory(), instance_id));
  v1::VerifyRecordingResponse report;
  if (absl::IsNotFound(may)) {
    // With a right on it or not, it isn't there for an administrator either.
    if (archive_.Find(instance_id).ok() || seals.retired) return may;
    report.set_finding(seals.Compare({}));
    if (report.finding().empty()) return may;
    return report;
  }
  BERTH_ASSIGN_OR_RETURN(report, archive_.Verify(instance_id, seals));
  if (report.finding().empty()) {
    BERTH_ASSIGN_OR_RETURN(*report.mutable_finding(), CheckAuditLog());
  }
  return report;
}

grpc::ServerUnaryReactor* RecordingsService::VerifyRecording(
    grpc::CallbackServerContext* context,
    const v1::VerifyRecordingRequest* request,
    v1::VerifyRecordingResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Answer(
      context, reactor, [this, user = CallerName(*context), request, response] {
        BERTH_ASSIGN_OR_RETURN(*response, Verify(user, request->instance_id()));
        return absl::OkStatus();
      });
  return reactor;
}

absl::Status RecordingsService::Redact(
    const std::string& user, const v1::RedactRecordingRequest& request,
    v1::RedactRecordingResponse& response) {
  if (!request.has_from() || !request.has_until()) {
    return absl::InvalidArgumentError(
        "say from when and until when something is taken out");
  }
  v1::RecordedRedaction redaction;
  redaction.set_user(user);
  redaction.set_at_ns(absl::GetCurrentTimeNanos());
  redaction.set_reason(request.reason());
  BERTH_ASSIGN_OR_RETURN(
      const uint64_t entries,
      archive_.Redact(
          request.instance_id(), absl::ToUnixNanos(FromProto(request.from())),
          absl::ToUnixNanos(FromProto(request.until())), redaction));
  response.set_entries(entries);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* RecordingsService::RedactRecording(
    grpc::CallbackServerContext* context,
    const v1::RedactRecordingRequest* request,
    v1::RedactRecordingResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Answer(context, reactor,
         [this, user = CallerName(*context), request, response] {
           return Redact(user, *request, *response);
         });
  return reactor;
}

}  // namespace berth::broker
