#include "broker/services/approvals_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "base/grpc_status.h"
#include "base/proto_time.h"
#include "broker/services/caller.h"

namespace berth::broker {
namespace {

constexpr absl::Duration kMaxWait = absl::Minutes(1);

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace

template <typename Response>
grpc::ServerUnaryReactor* ApprovalsService::Changed(
    grpc::CallbackServerContext* context, absl::StatusOr<v1::Approval> approval,
    Response* response) {
  if (!approval.ok()) return Answer(context, approval.status());
  SPDLOG_INFO("user '{}': request {} of user '{}' for role '{}' is {}",
              CallerName(*context), approval->id(), approval->user(),
              approval->role(), v1::ApprovalState_Name(approval->state()));
  *response->mutable_approval() = *std::move(approval);
  fleet_.OnApproval();
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ApprovalsService::RequestApproval(
    grpc::CallbackServerContext* context,
    const v1::RequestApprovalRequest* request,
    v1::RequestApprovalResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  return Changed(
      context,
      fleet_.approvals().Request(CallerName(*context), *request,
                                 fleet_.access().CurrentPolicy(), absl::Now()),
      response);
}

grpc::ServerUnaryReactor* ApprovalsService::ListApprovals(
    grpc::CallbackServerContext* context,
    const v1::ListApprovalsRequest* request,
    v1::ListApprovalsResponse* response) {
  const std::string user = CallerName(*context);
  for (v1::Approval& approval : fleet_.approvals().List(
           user, fleet_.access().IsAdmin(user), request->all(),
           fleet_.access().CurrentPolicy(), absl::Now())) {
    *response->add_approvals() = std::move(approval);
  }
  return Answer(context, absl::OkStatus());
}

grpc::ServerUnaryReactor* ApprovalsService::DecideApproval(
    grpc::CallbackServerContext* context,
    const v1::DecideApprovalRequest* request,
    v1::DecideApprovalResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  return Changed(
      context,
      fleet_.approvals().Decide(CallerName(*context), *request,
                                fleet_.access().CurrentPolicy(), absl::Now()),
      response);
}

grpc::ServerUnaryReactor* ApprovalsService::WithdrawApproval(
    grpc::CallbackServerContext* context,
    const v1::WithdrawApprovalRequest* request,
    v1::WithdrawApprovalResponse* response) {
  if (absl::Status kept = CheckKept(fleet_, *context); !kept.ok()) {
    return Answer(context, kept);
  }
  const std::string user = CallerName(*context);
  return Changed(
      context,
      fleet_.approvals().Withdraw(user, fleet_.access().IsAdmin(user), *request,
                                  fleet_.access().CurrentPolicy(), absl::Now()),
      response);
}

grpc::ServerUnaryReactor* ApprovalsService::WaitForApproval(
    grpc::CallbackServerContext* context,
    const v1::WaitForApprovalRequest* request,
    v1::WaitForApprovalResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // Two may want to answer: who is first.
  auto answered = std::make_shared<std::atomic<bool>>(false);
  const std::string user = CallerName(*context);
  const absl::StatusOr<uint64_t> waiting = fleet_.approvals().Wait(
      user, fleet_.access().IsAdmin(user), request->id(),
      fleet_.access().CurrentPolicy(),
      [reactor, response, answered](const v1::Approval& approval) {
        if (answered->exchange(true)) return;
        *response->mutable_approval() = approval;
        reactor->Finish(grpc::Status::OK);
      });
  if (!waiting.ok()) {
    reactor->Finish(ToGrpcStatus(waiting.status()));
    return reactor;
  }
  const absl::Duration timeout =
      request->has_timeout() ? std::clamp(FromProto(request->timeout()),
                                          absl::ZeroDuration(), kMaxWait)
                             : kMaxWait;
  if (answered->load()) return reactor;
  fleet_.timer().After(timeout, [this, reactor, answered, waiting = *waiting] {
    fleet_.approvals().StopWaiting(waiting);
    if (answered->exchange(true)) return;
    reactor->Finish(ToGrpcStatus(absl::DeadlineExceededError(
        "nobody has decided on the request yet; wait again")));
  });
  return reactor;
}

}  // namespace berth::broker
