#include "broker/services/hold_stream.h"

#include <utility>

#include "base/grpc_status.h"
#include "broker/services/session_requests.h"

namespace berth::broker {

HoldStream::HoldStream(grpc::CallbackServerContext* context, Fleet& fleet,
                       std::string user)
    : fleet_(fleet), user_(std::move(user)) {
  StartRead(&request_);
  revocable_.emplace(fleet.calls(), context,
                     [this](const absl::Status& status) { End(status); });
}

void HoldStream::OnReadDone(bool ok) {
  if (!ok) return End(absl::OkStatus());
  if (!client_.has_value()) {
    absl::Status status = Begin();
    if (!status.ok()) return End(status);
    StartWrite(&response_);  // The only one.
  }
  StartRead(&request_);
}

absl::Status HoldStream::Begin() {
  absl::Status status = CheckClient(request_.client(), /*required=*/true);
  if (!status.ok()) return status;
  client_ = Presence::Client(user_, request_.client().id());
  fleet_.presence().Join(*client_);
  response_.set_present(true);
  return absl::OkStatus();
}

void HoldStream::End(const absl::Status& status) {
  const std::shared_ptr<Finisher> finisher = finisher_;
  MutexLock lock(finisher->mu);
  if (std::exchange(finisher->finished, true)) return;
  Finish(ToGrpcStatus(status));
}

void HoldStream::OnDone() {
  if (client_.has_value()) fleet_.presence().Leave(*client_);
  delete this;
}

}  // namespace berth::broker
