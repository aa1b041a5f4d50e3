#include "agent/link/call.h"

#include <utility>

#include "agent/link/copy_call.h"
#include "agent/link/enter_call.h"
#include "agent/link/receive_call.h"
#include "agent/link/run_call.h"

namespace berth::agent {

absl::StatusOr<std::shared_ptr<Call>> MakeCall(CallContext context,
                                               link::v1::OpenCall open) {
  if (open.read_only() && open.method() != link::v1::OpenCall::RECEIVE &&
      open.method() != link::v1::OpenCall::ENTER) {
    return absl::PermissionDeniedError(
        "there is no way to only watch with this method");
  }
  switch (open.method()) {
    case link::v1::OpenCall::RUN:
      return std::make_shared<RunCall>(std::move(context), std::move(open));
    case link::v1::OpenCall::RECEIVE:
      return std::make_shared<ReceiveCall>(std::move(context), std::move(open));
    case link::v1::OpenCall::ENTER:
      return std::make_shared<EnterCall>(std::move(context), std::move(open));
    case link::v1::OpenCall::COPY:
      return std::make_shared<CopyCall>(std::move(context), std::move(open));
    default:
      return absl::InvalidArgumentError(
          "this agent is too old for the method called");
  }
}

}  // namespace berth::agent
