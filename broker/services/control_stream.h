#ifndef BERTH_BROKER_SERVICES_CONTROL_STREAM_H_
#define BERTH_BROKER_SERVICES_CONTROL_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "broker/relay/agent_connection.h"
#include "broker/relay/control_outbox.h"
#include "broker/services/admission.h"
#include "broker/services/fleet.h"
#include "broker/users/revocable_call.h"
#include "proto/berth/link/v1/link.pb.h"

namespace berth::broker {

// An agent's Control stream: reads what it says and hands it on, once it is
// its turn. Everything is written, and finished, by its outbox. Deletes itself.
class ControlStream final
    : public grpc::ServerBidiReactor<link::v1::AgentMessage,
                                     link::v1::BrokerMessage>,
      public ControlOutbox::Sink,
      public Admission::Applicant {
 public:
  // An agent must say hello within this time, its turn included.
  static constexpr absl::Duration kHelloTimeout = absl::Seconds(20);

  // `trusted_pem`: the CAs that agents are to trust. It outlives the stream.
  ControlStream(grpc::CallbackServerContext* context, Fleet& fleet,
                const std::string& computer, const std::string& trusted_pem);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override { outbox_->WriteDone(ok); }
  void OnCancel() override;
  void OnDone() override;

  void OnAdmitted() override { StartRead(&message_); }

  void BeginWrite(const link::v1::BrokerMessage& message) override {
    StartWrite(&message);
  }
  void Cancel() override { context_->TryCancel(); }
  void End(const absl::Status& status) override;

 private:
  absl::Status Handle();
  absl::Status OnHello(const link::v1::Hello& hello);
  // Tells the audit log of a command that a later frame of a Run has started.
  void OnCommandStarted(const link::v1::CommandStarted& started);
  void AuditLink(absl::string_view verb, std::string detail);
  // Takes the computer offline, and ends the stream with `status`.
  void Close(const absl::Status& status);

  grpc::CallbackServerContext* const context_;
  Fleet& fleet_;
  const std::string& trusted_pem_;
  const std::shared_ptr<ControlOutbox> outbox_;
  const std::shared_ptr<AgentConnection> connection_;
  const Timer::Id hello_timer_;
  link::v1::AgentMessage message_;
  bool greeted_ = false;                    // Of OnReadDone() alone.
  std::optional<RevocableCall> revocable_;  // The last: it calls back.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_CONTROL_STREAM_H_
