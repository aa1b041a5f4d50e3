#ifndef BERTH_BROKER_RELAY_AGENT_CONNECTION_H_
#define BERTH_BROKER_RELAY_AGENT_CONNECTION_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/relay/control_outbox.h"
#include "broker/timer.h"
#include "proto/berth/link/v1/link.pb.h"

namespace berth::broker {

// AgentConnection is one live link to one agent: what was asked of it and not
// yet answered, and the calls that go through it. Shared by the Control stream
// and by whoever talks to the agent; it outlives the stream, and then answers
// everything with Unavailable. Thread-safe; knows nothing of gRPC.
class AgentConnection : public std::enable_shared_from_this<AgentConnection> {
 public:
  // One call through the link, as the link sees it.
  class Call {
   public:
    virtual ~Call() = default;
    // The agent's verdict: `ended`, and the status in it.
    virtual void OnEnded(const link::v1::CallEnded& ended,
                         const absl::Status& status) = 0;
    // A later frame of its client has started a command. Only Run has those.
    virtual void OnCommandStarted(const link::v1::CommandStarted& /*started*/) {
    }
    // The link is lost, and the call with it.
    virtual void OnLinkLost(const absl::Status& status) = 0;
  };
  // Runs once, on any thread, with the agent's answer or what went wrong.
  using ReplyHandler = std::function<void(absl::StatusOr<link::v1::Reply>)>;

  // Longest wait for an answer. A shell may take its time to start.
  static constexpr absl::Duration kRequestTimeout = absl::Seconds(10);
  static constexpr absl::Duration kCreateTimeout = absl::Seconds(20);
  // Calls and requests in progress that one agent can have.
  static constexpr size_t kMaxInProgress = 10000;

  AgentConnection(std::string computer, std::shared_ptr<ControlOutbox> outbox,
                  Timer& timer)
      : computer_(std::move(computer)),
        outbox_(std::move(outbox)),
        timer_(timer) {}

  const std::string& computer() const { return computer_; }

  // Sends `request` (its id is filled in) and hands the answer to `handler`: a
  // reply with code 0, or the agent's status; DeadlineExceeded or Unavailable
  // if there is none.
  void Ask(link::v1::Request request, absl::Duration timeout,
           ReplyHandler handler) ABSL_LOCKS_EXCLUDED(mu_);

  // Makes a call and tells the agent. Unavailable: the link is down.
  // ResourceExhausted: too many calls.
  absl::StatusOr<uint64_t> OpenCall(link::v1::OpenCall open,
                                    std::shared_ptr<Call> call)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The same in two steps: makes a call that the agent is told of later, or
  // never. Errors as OpenCall().
  absl::StatusOr<uint64_t> ReserveCall(std::shared_ptr<Call> call)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Tells the agent of a call, unless it was forgotten meanwhile. Unavailable:
  // the link is down, and the call forgotten.
  absl::Status TellOfCall(uint64_t id, link::v1::OpenCall open)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The call of that id; null if there is none.
  std::shared_ptr<Call> FindCall(uint64_t id) const ABSL_LOCKS_EXCLUDED(mu_);

  // Forgets a call; `cancel`: and tells the agent that nobody waits for it.
  void ForgetCall(uint64_t id, bool cancel) ABSL_LOCKS_EXCLUDED(mu_);

  // What came from the agent.
  void OnReply(link::v1::Reply reply) ABSL_LOCKS_EXCLUDED(mu_);
  // False: there is no such call, or no more.
  bool OnCommandStarted(const link::v1::CommandStarted& started)
      ABSL_LOCKS_EXCLUDED(mu_);
  void OnCallEnded(const link::v1::CallEnded& ended) ABSL_LOCKS_EXCLUDED(mu_);

  // Sends anything else.
  absl::Status Send(link::v1::BrokerMessage message) {
    return outbox_->Send(std::move(message));
  }

  // Ends the Control stream with `status`, and everything in progress with
  // `reason`.
  void Close(const absl::Status& status, const absl::Status& reason)
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Pending {
    ReplyHandler handler;
    Timer::Id timer;
  };

  // Takes the handler of a request out. Null if it was answered already.
  ReplyHandler TakePending(uint64_t id) ABSL_LOCKS_EXCLUDED(mu_);

  // Never used twice by this process, so an answer or a stream that comes late
  // finds nothing rather than another one's call.
  static uint64_t NextId();

  const std::string computer_;
  const std::shared_ptr<ControlOutbox> outbox_;
  Timer& timer_;

  mutable Mutex mu_;
  absl::flat_hash_map<uint64_t, Pending> pending_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<uint64_t, std::shared_ptr<Call>> calls_
      ABSL_GUARDED_BY(mu_);
  absl::Status closed_ ABSL_GUARDED_BY(mu_);  // OK: the link is up.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_RELAY_AGENT_CONNECTION_H_
