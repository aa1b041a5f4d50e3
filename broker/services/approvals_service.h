#ifndef BERTH_BROKER_SERVICES_APPROVALS_SERVICE_H_
#define BERTH_BROKER_SERVICES_APPROVALS_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "broker/services/fleet.h"
#include "proto/berth/v1/approvals.grpc.pb.h"

namespace berth::broker {

// What roles grant after others have agreed (berth.v1.Approvals). Thread-safe.
class ApprovalsService final : public v1::Approvals::CallbackService {
 public:
  // `fleet` must outlive the service.
  explicit ApprovalsService(Fleet& fleet) : fleet_(fleet) {}

  grpc::ServerUnaryReactor* RequestApproval(
      grpc::CallbackServerContext* context,
      const v1::RequestApprovalRequest* request,
      v1::RequestApprovalResponse* response) override;
  grpc::ServerUnaryReactor* ListApprovals(
      grpc::CallbackServerContext* context,
      const v1::ListApprovalsRequest* request,
      v1::ListApprovalsResponse* response) override;
  grpc::ServerUnaryReactor* DecideApproval(
      grpc::CallbackServerContext* context,
      const v1::DecideApprovalRequest* request,
      v1::DecideApprovalResponse* response) override;
  grpc::ServerUnaryReactor* WithdrawApproval(
      grpc::CallbackServerContext* context,
      const v1::WithdrawApprovalRequest* request,
      v1::WithdrawApprovalResponse* response) override;
  grpc::ServerUnaryReactor* WaitForApproval(
      grpc::CallbackServerContext* context,
      const v1::WaitForApprovalRequest* request,
      v1::WaitForApprovalResponse* response) override;

 private:
  // Answers with what a change of the book came to.
  template <typename Response>
  grpc::ServerUnaryReactor* Changed(grpc::CallbackServerContext* context,
                                    absl::StatusOr<v1::Approval> approval,
                                    Response* response);

  Fleet& fleet_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_APPROVALS_SERVICE_H_
