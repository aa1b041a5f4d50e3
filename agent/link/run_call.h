#ifndef BERTH_AGENT_LINK_RUN_CALL_H_
#define BERTH_AGENT_LINK_RUN_CALL_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/link/call.h"
#include "agent/link/call_stream.h"
#include "agent/link/command_follower.h"
#include "agent/sessions/holder_connection.h"
#include "base/cond_var.h"
#include "base/mutex.h"

namespace berth::agent {

// One Run: commands of one client in one session, one after another. Two
// threads: the reader turns the client's frames into requests to the holder,
// the other turns the holder's events and the log into frames.
class RunCall final : public Call {
 public:
  RunCall(CallContext context, link::v1::OpenCall open);

  void Run() override;
  void Cancel() override;

 private:
  // The current command, as the reader needs to know it.
  enum class Phase {
    kNone,     // There is none: the next may start.
    kAsked,    // The holder has not said its number.
    kNumbered  // It waits, or runs.
  };
  struct Next {
    std::string command_id;
    uint64_t from_offset = 0;
    bool detach = false;
  };

  // The writer's thread.
  absl::Status Prepare();
  absl::Status OpenStream();
  absl::Status Serve();
  absl::Status ServeEndedSession(const absl::Status& refused);
  absl::Status TakeEvents() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status OnHolderGone() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FollowAgain() ABSL_LOCKS_EXCLUDED(mu_);
  // Takes over the command that the reader has started, if there is one.
  void TakeNext() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Pump() ABSL_LOCKS_EXCLUDED(mu_);
  void Wait(absl::Duration limit) ABSL_LOCKS_EXCLUDED(mu_);
  void Share() ABSL_LOCKS_EXCLUDED(mu_);
  bool IsOver(const CallStream::State& state) ABSL_LOCKS_EXCLUDED(mu_);
  void Close(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

  // The reader's thread, but for the first `start`.
  absl::Status OnFrame(const grpc::ByteBuffer& frame);
  absl::Status OnRequest(const v1::RunRequest& request, bool first);
  absl::Status Start(const v1::StartCommand& start) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status Input(const v1::StdinChunk& chunk);
  absl::Status Interrupt(const v1::Interrupt& interrupt)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Acknowledge(const v1::Ack& ack) ABSL_LOCKS_EXCLUDED(mu_);
  // The command's number, once it is known; 0: there is no command.
  uint64_t WaitForNumber() ABSL_LOCKS_EXCLUDED(mu_);

  // Any thread. A holder that does not take it has gone, or goes now: then the
  // writer sees to that.
  void Send(const holder::v1::Request& request, int fd = -1)
      ABSL_LOCKS_EXCLUDED(mu_);
  std::shared_ptr<HolderConnection> holder() ABSL_LOCKS_EXCLUDED(mu_);

  const CallContext context_;
  const link::v1::OpenCall open_;
  CallStream stream_;
  std::atomic<bool> left_ = false;   // The client is leaving.
  std::atomic<bool> skips_ = false;  // It waits for the command's end.

  // Set by Prepare(), before there is a reader.
  v1::RunRequest first_;
  SessionService::Session session_;
  v1::Client client_;
  std::optional<Hold::Tenure> tenure_;

  // The writer's.
  std::optional<CommandFollower> follower_;
  bool detach_ = false;
  bool holder_gone_ = false;

  Mutex mu_;
  CondVar changed_;
  std::shared_ptr<HolderConnection> holder_ ABSL_GUARDED_BY(mu_);
  Phase phase_ ABSL_GUARDED_BY(mu_) = Phase::kNone;
  std::optional<Next> next_ ABSL_GUARDED_BY(mu_);
  std::string command_id_ ABSL_GUARDED_BY(mu_);
  std::string digest_ ABSL_GUARDED_BY(mu_);  // Of its script.
  uint64_t number_ ABSL_GUARDED_BY(mu_) = 0;
  bool started_ ABSL_GUARDED_BY(mu_) = false;
  // The last command whose end was sent, and where that is.
  uint64_t ended_number_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t ended_offset_ ABSL_GUARDED_BY(mu_) = 0;
  bool asked_ ABSL_GUARDED_BY(mu_) = false;      // There was a command.
  bool end_acked_ ABSL_GUARDED_BY(mu_) = false;  // The client has all of one.
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_RUN_CALL_H_
