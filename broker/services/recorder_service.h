#ifndef BERTH_BROKER_SERVICES_RECORDER_SERVICE_H_
#define BERTH_BROKER_SERVICES_RECORDER_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <string>

#include "absl/status/status.h"
#include "broker/archive/archive.h"
#include "broker/services/archive_threads.h"
#include "broker/services/fleet.h"
#include "proto/berth/link/v1/recorder.grpc.pb.h"

namespace berth::broker {

// Deletes recordings that are too old, or too many, and tells the audit log.
void RetireRecordings(Archive& archive, Fleet& fleet);

// What agents bring to the archive (berth.link.v1.Recorder). Thread-safe.
class RecorderService final : public link::v1::Recorder::CallbackService {
 public:
  // Both must outlive the service.
  RecorderService(Archive& archive, Fleet& fleet)
      : archive_(archive), fleet_(fleet) {}

  grpc::ServerUnaryReactor* StoreSegment(
      grpc::CallbackServerContext* context,
      const link::v1::StoreSegmentRequest* request,
      link::v1::StoreSegmentResponse* response) override;

 private:
  absl::Status Check(const v1::RecordingInfo& info) const;
  // Says in `event` what was stored.
  absl::Status Store(const std::string& computer,
                     const link::v1::StoreSegmentRequest& request,
                     link::v1::StoreSegmentResponse& response,
                     AuditEvent& event);
  // Stores, and answers once the audit log has it: an agent deletes what it
  // was told is stored.
  void StoreAndAnswer(AuditEvent event, const std::string& computer,
                      const link::v1::StoreSegmentRequest& request,
                      link::v1::StoreSegmentResponse& response,
                      grpc::ServerUnaryReactor& reactor);

  Archive& archive_;
  Fleet& fleet_;
  ArchiveThreads threads_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_RECORDER_SERVICE_H_
