#ifndef BERTH_BROKER_SERVICES_CALL_OPENERS_H_
#define BERTH_BROKER_SERVICES_CALL_OPENERS_H_

#include <memory>
#include <string>

#include "broker/audit/event.h"
#include "broker/relay/relayed_call.h"
#include "broker/services/fleet.h"
#include "proto/berth/link/v1/link.pb.h"

namespace berth::broker {

// Opens the call of one user's Run, Receive or Enter: reads the first message,
// finds the session that it names, and tells its agent.
//
// Lives as long as its stream; while it does, its client counts as present.
class CallOpener final : public ClientLeg::Opener {
 public:
  // `event`: who asks for what; what is missing is filled in.
  CallOpener(Fleet& fleet, link::v1::OpenCall::Method method, std::string user,
             AuditEvent event)
      : fleet_(fleet),
        method_(method),
        user_(std::move(user)),
        event_(std::move(event)) {}
  ~CallOpener() override;

  // InvalidArgument: the message can't be read. FailedPrecondition: it carries
  // no `open`. Else as Run, Receive and Enter.
  absl::StatusOr<Opened> Open(const grpc::ByteBuffer& first_message,
                              std::shared_ptr<RelayedCall> call) override;

 private:
  absl::StatusOr<Opened> OpenOrFail(const grpc::ByteBuffer& first_message,
                                    std::shared_ptr<RelayedCall> call);
  // Lets `call` work in `session`, or watch it, as far as that takes observers.
  // FAILED_PRECONDITION: it has none.
  absl::Status Moderate(const SessionRecord& session, Verb verb,
                        const std::shared_ptr<RelayedCall>& call);
  // Tells the agent, once the audit log has that it is told.
  absl::StatusOr<Opened> Tell(std::shared_ptr<AgentConnection> connection,
                              link::v1::OpenCall open,
                              std::shared_ptr<RelayedCall> call);

  Fleet& fleet_;
  const link::v1::OpenCall::Method method_;
  const std::string user_;
  AuditEvent event_;
  bool counted_ = false;
  Moderation::Id work_ = 0;      // Of a call that may change the session.
  Moderation::Id observer_ = 0;  // Of one that watches somebody else's.
  Grants::Id grant_ = 0;         // Of a call on a session of somebody else.
  std::string client_id_;  // Of a client that was joined to the present ones.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_SERVICES_CALL_OPENERS_H_
