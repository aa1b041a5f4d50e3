#ifndef BERTH_AGENT_LINK_RECEIVE_CALL_H_
#define BERTH_AGENT_LINK_RECEIVE_CALL_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/link/call.h"
#include "agent/link/call_stream.h"
#include "agent/link/command_follower.h"
#include "agent/sessions/holder_connection.h"
#include "agent/sessions/session_journal.h"
#include "base/mutex.h"

namespace berth::agent {

// One Receive: what commands of a session printed, from its logs. Of a session
// that lives the holder says how far they reach, else the journal does. Two
// threads, as in RunCall.
class ReceiveCall final : public Call {
 public:
  ReceiveCall(CallContext context, link::v1::OpenCall open);

  void Run() override;
  void Cancel() override;

 private:
  // The writer's thread.
  absl::Status Prepare();
  // Waits until the holder has seen to all requests before: what clients
  // acknowledged is in the journal then.
  void CatchUp();
  absl::Status Select();
  absl::Status CheckOpen() const;
  absl::Status ShowAll();
  // Shows what starts later, until the session ends.
  absl::Status ShowLater();
  // Shows the next one that is in the journal, if there is one.
  absl::Status ShowNext();
  // Shows one command. `selected`: the client asked for this one.
  absl::Status Show(uint64_t number, bool selected);
  // Where to begin with a command that was selected.
  absl::StatusOr<std::optional<uint64_t>> StartOf(uint64_t number) const;
  absl::Status ShowLive(uint64_t number, const JournalCommand& command);
  absl::Status ShowFromFiles(uint64_t number, const JournalCommand& command,
                             bool running);
  // Rereads the journal of a session that has just ended.
  absl::Status OnHolderGone(uint64_t number);
  absl::Status TakeEvents();
  absl::Status PumpAll();
  absl::Status Pump() ABSL_LOCKS_EXCLUDED(mu_);
  void Wait(absl::Duration limit);
  // Waits for what the reader's thread takes.
  void AwaitWake(absl::Duration limit);
  // Leaves the client a moment to acknowledge what came last.
  void AwaitAcks() ABSL_LOCKS_EXCLUDED(mu_);

  // The reader's thread.
  absl::Status OnFrame(const grpc::ByteBuffer& frame);
  absl::Status OnRequest(const v1::ReceiveRequest& request);
  absl::Status Interrupt(const v1::Interrupt& interrupt)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Acknowledge(const v1::Ack& ack) ABSL_LOCKS_EXCLUDED(mu_);

  const CallContext context_;
  const link::v1::OpenCall open_;
  CallStream stream_;
  std::atomic<bool> left_ = false;  // The client is leaving.

  // Set by Prepare(), before there is a reader.
  v1::ReceiveRequest first_;
  SessionService::Session session_;
  std::unique_ptr<HolderConnection> holder_;  // Null: it has ended.
  SessionJournal journal_;
  std::vector<uint64_t> selected_;
  std::optional<uint64_t> from_offset_;

  // The writer's.
  std::optional<CommandFollower> follower_;
  bool holder_gone_ = false;
  bool commands_changed_ = true;  // There may be more in the journal.
  uint64_t last_shown_ = 0;       // With follow_session.

  Mutex mu_;
  uint64_t current_ ABSL_GUARDED_BY(mu_) = 0;
  // Where the commands end whose end was sent and not yet acknowledged.
  std::map<uint64_t, uint64_t> unacked_ends_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_RECEIVE_CALL_H_
