#ifndef BERTH_CLI_RUN_FOLLOWER_H_
#define BERTH_CLI_RUN_FOLLOWER_H_

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/client/backoff.h"
#include "cli/client/connection.h"
#include "cli/invocation/invocation.h"
#include "cli/run/command_view.h"
#include "cli/run/conversation.h"
#include "cli/run/patience.h"
#include "cli/run/pump.h"
#include "cli/run/stdin_buffer.h"

namespace berth::cli {

// Follows one session's commands to their end, over as many streams as it
// takes: when a link breaks it comes back and goes on at the byte where it
// stopped, for ReconnectPatience(). Used by one thread.
class Follower {
 public:
  // `input` is null if the command gets none.
  Follower(Connection& connection, Invocation& invocation,
           const Conversation& conversation, CommandView& view,
           StdinBuffer* input)
      : connection_(connection),
        invocation_(invocation),
        conversation_(conversation),
        view_(view),
        input_(input),
        patience_(ReconnectPatience(invocation.environment())) {}

  // OK: everything has come. CANCELLED: the invocation was left. ABORTED: the
  // reader of the output is gone. Else the broker's word, or UNAVAILABLE when
  // patience is over. `failed_to_write()` tells the kernel's errors from those.
  absl::Status Run();

  // Called once everything has come, is written and its acknowledgement sent,
  // before the stream is closed.
  void OnComplete(std::function<void()> on_complete) {
    on_complete_ = std::move(on_complete);
  }

  // Whether the session may have got the first frame.
  bool sent() const { return sent_; }
  // It may have, and has not answered: nobody knows whether the command runs.
  bool in_doubt() const { return in_doubt_ && !opened_; }
  // Run() failed since output could not be written.
  bool failed_to_write() const { return !write_status_.ok(); }

 private:
  absl::Status Attempt();
  void Read(EventStream& stream, Pump& pump);
  bool MayRetry(const absl::Status& status) const;
  bool WaitForRetry(const absl::Status& status);
  void TellLost(const absl::Status& status, absl::Time now);

  Connection& connection_;
  Invocation& invocation_;
  const Conversation& conversation_;
  CommandView& view_;
  StdinBuffer* const input_;
  const absl::Duration patience_;

  std::function<void()> on_complete_;
  Backoff backoff_;
  bool sent_ = false;         // Any first frame was sent.
  bool opened_ = false;       // Any stream was answered.
  bool in_doubt_ = false;     // Any stream may have got there.
  size_t generation_ = 0;     // Of the connection, at the last attempt.
  bool from_broker_ = false;  // Where the last attempt's status came from.
  absl::Time lost_at_ = absl::InfiniteFuture();
  absl::Time remind_at_ = absl::InfiniteFuture();
  int interrupts_when_lost_ = 0;
  absl::Status write_status_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_FOLLOWER_H_
