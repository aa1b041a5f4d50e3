#ifndef BERTH_BROKER_SERVICES_HOLD_STREAM_H_
#define BERTH_BROKER_SERVICES_HOLD_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "broker/services/fleet.h"
#include "broker/users/revocable_call.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::broker {

// A client's Hold stream: while it is open, the client counts as present.
// Deletes itself.
class HoldStream final
    : public grpc::ServerBidiReactor<v1::HoldRequest, v1::HoldResponse> {
 public:
  HoldStream(grpc::CallbackServerContext* context, Fleet& fleet,
             std::string user);

  void OnReadDone(bool ok) override;
  void OnCancel() override { End(absl::CancelledError("the client left")); }
  void OnDone() override;

 private:
  // Outlives the stream: OnDone() may run while another thread still holds it.
  struct Finisher {
    Mutex mu;
    bool finished ABSL_GUARDED_BY(mu) = false;
  };

  // Counts the client of `request_` as present.
  absl::Status Begin();
  void End(const absl::Status& status);

  Fleet& fleet_;
  const std::string user_;
  const std::shared_ptr<Finisher> finisher_ = std::make_shared<Finisher>();
  v1::HoldRequest request_;
  v1::HoldResponse response_;
  std::optional<Presence::Client> client_;  // Set once it is present.
  std::optional<RevocableCall> revocable_;  // The last: it calls back.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_HOLD_STREAM_H_
