#ifndef BERTH_BROKER_RELAY_RELAYED_CALL_H_
#define BERTH_BROKER_RELAY_RELAYED_CALL_H_

#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/relay/agent_connection.h"
#include "broker/relay/splice.h"
#include "broker/timer.h"
#include "broker/users/revocable_call.h"

namespace berth::broker {

// RelayedCall is one Run or Receive on its way from a client to an agent: the
// splice, the messages in its slots, and the deadlines. Shared by its two
// streams and the agent's link, and outlives all of them. Thread-safe, but for
// the slots, each of which belongs to the one operation that it is lent to.
class RelayedCall final : public AgentConnection::Call,
                          public std::enable_shared_from_this<RelayedCall> {
 public:
  // A client may take this long to send its first message.
  static constexpr absl::Duration kOpenTimeout = absl::Seconds(30);
  // How long an agent may take to open its stream, and to send the verdict
  // after its last response.
  static constexpr absl::Duration kAgentTimeout = absl::Seconds(10);
  // A verdict may overtake the stream that it belongs to by this much.
  static constexpr absl::Duration kOvertake = absl::Milliseconds(50);

  RelayedCall(Splice::Leg* client, Timer& timer)
      : timer_(timer), splice_(client) {}

  Splice& splice() { return splice_; }
  // A slot for messages from one side.
  grpc::ByteBuffer& slot(Splice::Side from, int slot) {
    return slots_[from][slot];
  }

  // The client has opened its stream; its first message must come in time.
  void ExpectFirstMessage() ABSL_LOCKS_EXCLUDED(mu_);
  // The agent is about to be told; its stream must come in time.
  void ExpectAgent() ABSL_LOCKS_EXCLUDED(mu_);
  // What is done once the agent's stream is joined. To be said before the
  // agent is told; must not block.
  void OnJoined(std::function<void()> joined) ABSL_LOCKS_EXCLUDED(mu_);
  // Who is told of commands that the client starts later. To be said before the
  // agent is told; must not block.
  using CommandStarted = std::function<void(const link::v1::CommandStarted&)>;
  void OnLaterCommand(CommandStarted told) ABSL_LOCKS_EXCLUDED(mu_);
  // Joins the agent's stream, unless it is too late.
  bool Join(Splice::Leg* agent) ABSL_LOCKS_EXCLUDED(mu_);
  // The agent has sent its last response; its verdict must come in time.
  void ExpectVerdict() ABSL_LOCKS_EXCLUDED(mu_);
  // The client's stream is over, and with it every deadline.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  void OnEnded(const link::v1::CallEnded& ended,
               const absl::Status& status) override;
  void OnCommandStarted(const link::v1::CommandStarted& started) override;
  void OnLinkLost(const absl::Status& status) override;

 private:
  // Fails the call after `delay`, unless the next of these, or Close(), comes
  // first.
  void FailAfter(absl::Duration delay, absl::Status status)
      ABSL_LOCKS_EXCLUDED(mu_);
  void CancelTimer() ABSL_LOCKS_EXCLUDED(mu_);

  Timer& timer_;
  std::array<std::array<grpc::ByteBuffer, Splice::kSlots>, 2> slots_;
  Splice splice_;
  Mutex mu_;
  Timer::Id deadline_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  CommandStarted later_command_ ABSL_GUARDED_BY(mu_);
  std::function<void()> joined_ ABSL_GUARDED_BY(mu_);
};

// The agent's stream of a call. Deletes itself.
class AgentLeg final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public Splice::Leg {
 public:
  // Joins `call` at once; ends with NotFound if it is null or over.
  AgentLeg(grpc::CallbackServerContext* context, OpenCalls& calls,
           std::shared_ptr<RelayedCall> call);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

  void BeginRead(int slot) override;
  void BeginWrite(int slot) override;
  void Cancel() override { context_->TryCancel(); }
  void End(const absl::Status& status) override;

 private:
  grpc::CallbackServerContext* const context_;
  const std::shared_ptr<RelayedCall> call_;
  bool joined_ = false;  // Set by the constructor alone.
  // Lent to the operation in flight; only its own reaction reads them.
  int read_slot_ = 0;
  int write_slot_ = 0;
  grpc::ByteBuffer half_close_;
  std::optional<RevocableCall> revocable_;  // The last: it calls back.
};

// The client's stream of a call. Deletes itself.
class ClientLeg final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public Splice::Leg {
 public:
  // What opens a call at its agent, once its first message is there. Called
  // once, or never.
  class Opener {
   public:
    virtual ~Opener() = default;
    // Reads `first_message`, tells the agent, and returns its link and the
    // call's id there.
    struct Opened {
      std::shared_ptr<AgentConnection> connection;
      uint64_t call_id = 0;
    };
    virtual absl::StatusOr<Opened> Open(const grpc::ByteBuffer& first_message,
                                        std::shared_ptr<RelayedCall> call) = 0;
  };

  ClientLeg(grpc::CallbackServerContext* context, Timer& timer,
            OpenCalls& calls, std::unique_ptr<Opener> opener);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void BeginRead(int slot) override;
  void BeginWrite(int slot) override;
  void Cancel() override { context_->TryCancel(); }
  void End(const absl::Status& status) override;

 private:
  void OnFirstMessage(bool ok);

  grpc::CallbackServerContext* const context_;
  const std::unique_ptr<Opener> opener_;
  const std::shared_ptr<RelayedCall> call_;
  grpc::ByteBuffer first_;
  bool first_read_ = false;  // Of OnReadDone() alone, as is `opened_`.
  Opener::Opened opened_;
  // The agent may have got the call. Another thread may end it at any time.
  std::atomic<bool> forwarded_ = false;
  int read_slot_ = 0;
  int write_slot_ = 0;
  std::optional<RevocableCall> revocable_;  // The last: it calls back.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_RELAY_RELAYED_CALL_H_
