#ifndef BERTH_BROKER_SERVICES_FILES_SERVICE_H_
#define BERTH_BROKER_SERVICES_FILES_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "broker/services/fleet.h"
#include "proto/berth/v1/files.grpc.pb.h"

namespace berth::broker {

// Copies (berth.v1.Files): passed on to the session's agent without being
// parsed. Thread-safe.
class FilesService final
    : public v1::Files::WithRawCallbackMethod_Copy<v1::Files::Service> {
 public:
  // `fleet` must outlive the service.
  explicit FilesService(Fleet& fleet) : fleet_(fleet) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Copy(
      grpc::CallbackServerContext* context) override;

 private:
  Fleet& fleet_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_FILES_SERVICE_H_
