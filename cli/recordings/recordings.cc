#include "cli/recordings/recordings.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/escape.h"
#include "base/proto_time.h"
#include "base/status_macros.h"
#include "cli/client/call.h"

namespace berth::cli {

absl::StatusOr<v1::ListRecordingsResponse> ListRecordings(
    Invocation& invocation, Connection& connection, const std::string& owner,
    const std::string& session) {
  auto stub = v1::Recordings::NewStub(connection.channel().shared_from_this());
  v1::ListRecordingsRequest request;
  request.set_owner(owner);
  // "alice/3", as everywhere.
  const size_t slash = owner.empty() ? session.find('/') : session.npos;
  if (slash != session.npos) {
    request.set_owner(session.substr(0, slash));
    request.set_session(session.substr(slash + 1));
  } else {
    request.set_session(session);
  }
  v1::ListRecordingsResponse response;
  BERTH_RETURN_IF_ERROR(Call(connection, invocation.signals(), *stub,
                             &v1::Recordings::Stub::ListRecordings, request,
                             response));
  return response;
}

absl::StatusOr<v1::Recording> FindRecording(Invocation& invocation,
                                            Connection& connection,
                                            const std::string& owner,
                                            const std::string& session) {
  BERTH_ASSIGN_OR_RETURN(
      v1::ListRecordingsResponse found,
      ListRecordings(invocation, connection, owner, session));
  if (found.recordings().empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no recording of session '", EscapeForTerminal(session),
        "' that you may read; 'berth recordings ls' lists them (what is new "
        "takes up to a minute to come)"));
  }
  v1::Recording& newest = *found.mutable_recordings(0);
  if (found.recordings_size() > 1) {
    invocation.Say(absl::StrCat(
        found.recordings_size(), " sessions were called '", session,
        "'; this is the newest, ", newest.info().instance_id(), " of ",
        newest.info().owner()));
  }
  return std::move(newest);
}

absl::Status ReadRecording(
    Invocation& invocation, Connection& connection,
    const std::string& instance_id, RecordingReading& reading,
    const std::function<bool(const v1::RecordingEntry&)>& visit) {
  auto stub = v1::Recordings::NewStub(connection.channel().shared_from_this());
  grpc::ClientContext context;
  SignalSource::Watch watch(invocation.signals(), [&](bool left) {
    if (left) context.TryCancel();
  });
  v1::ReadRecordingRequest request;
  request.set_instance_id(instance_id);
  request.set_even_if_changed(reading.even_if_changed);
  auto stream = stub->ReadRecording(&context, request);
  v1::ReadRecordingResponse page;
  bool wanted = true;
  while (wanted && stream->Read(&page)) {
    if (page.has_recording()) reading.finding = page.finding();
    for (const v1::RecordingEntry& entry : page.entries()) {
      wanted = wanted && visit(entry);
    }
  }
  if (!wanted) context.TryCancel();
  const absl::Status status = ToStatus(connection, context, stream->Finish());
  return wanted ? status : absl::OkStatus();
}

int EndReading(Invocation& invocation, const RecordingReading& reading,
               const absl::Status& status) {
  if (!status.ok() && !absl::IsDataLoss(status)) return invocation.Fail(status);
  const absl::string_view finding =
      reading.finding.empty() ? status.message() : reading.finding;
  if (finding.empty()) return 0;
  const std::string text = absl::StrCat("the recording was changed: ", finding);
  if (reading.even_if_changed && status.ok()) {
    invocation.Say(text);
    return 0;
  }
  return invocation.Fail(
      absl::DataLossError(absl::StrCat(
          text,
          "; what could be shown came before ('--even-if-changed' shows "
          "all that is left)")),
      kChangedExit);
}

}  // namespace berth::cli
