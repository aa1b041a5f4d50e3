#include "broker/services/computers_service.h"

#include <utility>

#include "base/grpc_status.h"
#include "broker/services/caller.h"
#include "broker/services/session_query.h"

namespace berth::broker {

grpc::ServerUnaryReactor* ComputersService::ListComputers(
    grpc::CallbackServerContext* context,
    const v1::ListComputersRequest* request,
    v1::ListComputersResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto result =
      QueryComputers(access_.ViewerFor(CallerName(*context)), *request);
  if (result.ok()) {
    for (v1::Computer& computer : result->computers) {
      *response->add_computers() = std::move(computer);
    }
  }
  reactor->Finish(ToGrpcStatus(result.ok() ? result->status : result.status()));
  return reactor;
}

grpc::ServerUnaryReactor* ComputersService::ListConfigurations(
    grpc::CallbackServerContext* context,
    const v1::ListConfigurationsRequest* request,
    v1::ListConfigurationsResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto result =
      QueryConfigurations(access_.ViewerFor(CallerName(*context)), *request);
  if (result.ok()) {
    for (v1::Configuration& configuration : result->configurations) {
      *response->add_configurations() = std::move(configuration);
    }
  }
  reactor->Finish(ToGrpcStatus(result.ok() ? result->status : result.status()));
  return reactor;
}

}  // namespace berth::broker
