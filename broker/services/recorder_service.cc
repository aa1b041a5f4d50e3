#include "broker/services/recorder_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/grpc_status.h"
#include "base/status_macros.h"
#include "broker/archive/seals.h"
#include "broker/services/audit_actor.h"
#include "broker/services/caller.h"

namespace berth::broker {

void RetireRecordings(Archive& archive, Fleet& fleet) {
  for (const v1::Recording& recording : archive.Retire(absl::Now())) {
    AuditEvent event;
    event.verb = kRecordingRetiredVerb;
    event.outcome = "done";
    event.session = recording.info().instance_id();
    event.session_name = recording.info().name();
    event.owner = recording.info().owner();
    event.computer = recording.info().computer();
    event.detail = absl::StrCat("segments=", recording.segments(),
                                " bytes=", recording.bytes());
    fleet.audit().Record(std::move(event));
  }
}

// An agent's word on whose session it records is taken only for one that the
// registry does not know: it may have been removed meanwhile.
absl::Status RecorderService::Check(const v1::RecordingInfo& info) const {
  const SessionRecord known = fleet_.registry().Find(info.instance_id());
  if (known == nullptr || (known->computer() == info.computer() &&
                           known->owner() == info.owner())) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(absl::StrCat(
      "computer '", info.computer(), "' has no session ", info.instance_id(),
      " of user '", info.owner(), "' to record"));
}

absl::Status RecorderService::Store(
    const std::string& computer, const link::v1::StoreSegmentRequest& request,
    link::v1::StoreSegmentResponse& response, AuditEvent& event) {
  event.session = request.instance_id();
  // Before anything changes; a strict log could refuse it later only.
  BERTH_RETURN_IF_ERROR(fleet_.audit().Check());
  const auto store = [&] {
    return archive_.Store(
        computer, request.segment(), request.is_oldest(),
        [this](const v1::RecordingInfo& info) { return Check(info); });
  };
  absl::StatusOr<Archive::Stored> stored = store();
  if (absl::IsResourceExhausted(stored.status())) {
    RetireRecordings(archive_, fleet_);
    stored = store();
  }
  BERTH_RETURN_IF_ERROR(stored.status());
  response.set_next_index(stored->next_index);
  response.set_sha256(stored->sha256);
  SetSeal(stored->info, stored->seal, event);
  return absl::OkStatus();
}

void RecorderService::StoreAndAnswer(
    AuditEvent event, const std::string& computer,
    const link::v1::StoreSegmentRequest& request,
    link::v1::StoreSegmentResponse& response,
    grpc::ServerUnaryReactor& reactor) {
  const absl::Status status = Store(computer, request, response, event);
  SetOutcome(status, event);
  if (!status.ok()) {
    fleet_.audit().Record(std::move(event));
    return reactor.Finish(ToGrpcStatus(status));
  }
  fleet_.audit().Require(std::move(event),
                         [&reactor](const absl::Status& kept) {
                           reactor.Finish(ToGrpcStatus(kept));
                         });
}

grpc::ServerUnaryReactor* RecorderService::StoreSegment(
    grpc::CallbackServerContext* context,
    const link::v1::StoreSegmentRequest* request,
    link::v1::StoreSegmentResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status status = threads_.Start(
      [this, reactor, computer = CallerName(*context), request, response,
       event = AuditEventOf(*context, kSealVerb,
                            "/berth.link.v1.Recorder/StoreSegment")] {
        StoreAndAnswer(event, computer, *request, *response, *reactor);
      });
  if (!status.ok()) reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace berth::broker
