#ifndef BERTH_BROKER_SERVICES_COMPUTERS_SERVICE_H_
#define BERTH_BROKER_SERVICES_COMPUTERS_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "broker/access/access.h"
#include "proto/berth/v1/computers.grpc.pb.h"

namespace berth::broker {

// What clients may ask about computers (berth.v1.Computers). Thread-safe.
class ComputersService final : public v1::Computers::CallbackService {
 public:
  // `access` must outlive the service.
  explicit ComputersService(const Access& access) : access_(access) {}

  grpc::ServerUnaryReactor* ListComputers(
      grpc::CallbackServerContext* context,
      const v1::ListComputersRequest* request,
      v1::ListComputersResponse* response) override;

  grpc::ServerUnaryReactor* ListConfigurations(
      grpc::CallbackServerContext* context,
      const v1::ListConfigurationsRequest* request,
      v1::ListConfigurationsResponse* response) override;

 private:
  const Access& access_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_COMPUTERS_SERVICE_H_
