#ifndef BERTH_BROKER_SERVICES_POLICIES_SERVICE_H_
#define BERTH_BROKER_SERVICES_POLICIES_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <string>

#include "broker/services/fleet.h"
#include "proto/berth/v1/policy.grpc.pb.h"

namespace berth::broker {

// What may be asked about the policy (berth.v1.Policies). Thread-safe.
class PoliciesService final : public v1::Policies::CallbackService {
 public:
  // `fleet` must outlive the service.
  explicit PoliciesService(Fleet& fleet) : fleet_(fleet) {}

  grpc::ServerUnaryReactor* ApplyPolicy(
      grpc::CallbackServerContext* context,
      const v1::ApplyPolicyRequest* request,
      v1::ApplyPolicyResponse* response) override;
  grpc::ServerUnaryReactor* GetPolicy(grpc::CallbackServerContext* context,
                                      const v1::GetPolicyRequest* request,
                                      v1::PolicyVersion* response) override;
  grpc::ServerUnaryReactor* ListPolicyVersions(
      grpc::CallbackServerContext* context,
      const v1::ListPolicyVersionsRequest* request,
      v1::ListPolicyVersionsResponse* response) override;
  grpc::ServerUnaryReactor* RollBackPolicy(
      grpc::CallbackServerContext* context,
      const v1::RollBackPolicyRequest* request,
      v1::ApplyPolicyResponse* response) override;
  grpc::ServerUnaryReactor* CanI(grpc::CallbackServerContext* context,
                                 const v1::CanIRequest* request,
                                 v1::CanIResponse* response) override;
  grpc::ServerUnaryReactor* WhoCan(grpc::CallbackServerContext* context,
                                   const v1::WhoCanRequest* request,
                                   v1::WhoCanResponse* response) override;

 private:
  // Ends ApplyPolicy and RollBackPolicy.
  PolicyBook::Done<PolicyBook::VersionPtr> AnswerWith(
      grpc::ServerUnaryReactor* reactor, v1::ApplyPolicyResponse* response,
      const std::string& user, bool dry_run);
  absl::Status Decide(const std::string& caller, const v1::CanIRequest& request,
                      v1::CanIResponse& response);
  absl::Status Find(const v1::WhoCanRequest& request,
                    v1::WhoCanResponse& response);

  Fleet& fleet_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_POLICIES_SERVICE_H_
