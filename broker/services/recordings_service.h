#ifndef BERTH_BROKER_SERVICES_RECORDINGS_SERVICE_H_
#define BERTH_BROKER_SERVICES_RECORDINGS_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "broker/archive/archive.h"
#include "broker/services/archive_threads.h"
#include "broker/services/audit_stream.h"
#include "broker/services/fleet.h"
#include "proto/berth/v1/recordings.grpc.pb.h"

namespace berth::broker {

// What users may ask of the archive (berth.v1.Recordings). Thread-safe.
class RecordingsService final : public v1::Recordings::CallbackService {
 public:
  // Both must outlive the service.
  RecordingsService(Archive& archive, Fleet& fleet)
      : archive_(archive), fleet_(fleet) {}
  ~RecordingsService() override;

  // Looks now, and from then on every hour, which recordings are too old.
  void BeginRetiring();

  grpc::ServerUnaryReactor* ListRecordings(
      grpc::CallbackServerContext* context,
      const v1::ListRecordingsRequest* request,
      v1::ListRecordingsResponse* response) override;
  grpc::ServerWriteReactor<v1::ReadRecordingResponse>* ReadRecording(
      grpc::CallbackServerContext* context,
      const v1::ReadRecordingRequest* request) override;
  grpc::ServerUnaryReactor* VerifyRecording(
      grpc::CallbackServerContext* context,
      const v1::VerifyRecordingRequest* request,
      v1::VerifyRecordingResponse* response) override;
  grpc::ServerUnaryReactor* RedactRecording(
      grpc::CallbackServerContext* context,
      const v1::RedactRecordingRequest* request,
      v1::RedactRecordingResponse* response) override;

 private:
  // Whether this is gone, for the timer, which may outlive it.
  struct Life {
    Mutex mu;
    bool over ABSL_GUARDED_BY(mu) = false;
  };

  bool MayRead(const std::string& user, const v1::RecordingInfo& info);
  // A recording that `user` may read. NotFound, also if they may not.
  absl::StatusOr<v1::Recording> FindFor(const std::string& user,
                                        const std::string& instance_id);
  // Answers a unary call from a thread.
  void Answer(grpc::CallbackServerContext* context,
              grpc::ServerUnaryReactor* reactor,
              std::function<absl::Status()> work);
  void List(const std::string& user, const v1::ListRecordingsRequest& request,
            v1::ListRecordingsResponse& response);
  // Whether the audit log, too, is as it was written; else says that it can't
  // vouch for a recording.
  absl::StatusOr<std::string> CheckAuditLog();
  absl::StatusOr<v1::VerifyRecordingResponse> Verify(
      const std::string& user, const std::string& instance_id);
  absl::Status Send(const v1::ReadRecordingRequest& request,
                    const v1::Recording& recording,
                    AuditStream<v1::ReadRecordingResponse>& stream);
  absl::Status Redact(const std::string& user,
                      const v1::RedactRecordingRequest& request,
                      v1::RedactRecordingResponse& response);

  Archive& archive_;
  Fleet& fleet_;
  const std::shared_ptr<Life> life_ = std::make_shared<Life>();
  ArchiveThreads threads_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_RECORDINGS_SERVICE_H_
