#ifndef BERTH_CLI_RUN_PUMP_H_
#define BERTH_CLI_RUN_PUMP_H_

#include <atomic>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "cli/client/event_stream.h"
#include "cli/invocation/invocation.h"
#include "cli/run/ack_pace.h"
#include "cli/run/command_view.h"
#include "cli/run/conversation.h"
#include "cli/run/stdin_buffer.h"
#include "grpcpp/alarm.h"

namespace berth::cli {

// Writes the frames of one stream after the first, on a thread of its own:
// acknowledgements, standard input, interrupts. When the invocation is left it
// acknowledges what was written and half-closes; if the stream then goes on
// for kLeaveTime it is cancelled. Its methods are for the thread that reads.
class Pump {
 public:
  static constexpr absl::Duration kLeaveTime = absl::Seconds(3);

  // `input` may be null. Whatever is passed must outlive the pump.
  Pump(Invocation& invocation, const Conversation& conversation,
       EventStream& stream, CommandView& view, StdinBuffer* input);
  // Ends the thread. The stream must have ended, or been cancelled.
  ~Pump();

  // Shows a frame, unless the invocation was left: then what was written is
  // acknowledged already. Errors as CommandView::Take(), or CANCELLED.
  absl::Status Take(EventStream::Frame& frame) ABSL_LOCKS_EXCLUDED(take_mu_);

  // Input may be sent up to `limit`.
  void Grant(uint64_t limit) ABSL_LOCKS_EXCLUDED(mu_);

  // Output was written: it is to be acknowledged before long.
  void Progressed();

  // Acknowledges everything, now.
  void Acknowledge() ABSL_LOCKS_EXCLUDED(mu_);

  // Acknowledges everything and half-closes, now.
  void Complete() ABSL_LOCKS_EXCLUDED(mu_) { Close(/*leave=*/false); }

 private:
  void Loop();
  void OnLeft();
  void EndLeaving();
  void Leave() ABSL_LOCKS_EXCLUDED(take_mu_, mu_);
  void Close(bool leave) ABSL_LOCKS_EXCLUDED(mu_);
  absl::Duration Timeout() const;
  void HandleSignals() ABSL_LOCKS_EXCLUDED(mu_);
  void HandleAcks() ABSL_LOCKS_EXCLUDED(mu_);
  void HandleInput() ABSL_LOCKS_EXCLUDED(mu_);
  void ReadInput() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WriteAcksLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool WantsInput() ABSL_LOCKS_EXCLUDED(mu_);
  void Wake();

  Invocation& invocation_;
  const Conversation& conversation_;
  EventStream& stream_;
  CommandView& view_;
  StdinBuffer* const input_;

  const UniqueFd wake_;
  std::atomic<bool> stopping_ = false;
  // The thread knows of something to acknowledge; and that it is to be soon.
  std::atomic<bool> ack_due_ = false;
  std::atomic<bool> ack_soon_ = false;
  std::atomic<uint64_t> ack_bytes_ = AckPace::kMinBytes;

  // Of the thread alone.
  AckPace pace_;
  absl::Time ack_at_ = absl::InfiniteFuture();
  absl::Time tell_at_ = absl::InfiniteFuture();
  bool interrupt_sent_ = false;

  // Held while a frame is shown, which ends when the invocation is left.
  Mutex take_mu_;

  // Held while writing: it is what keeps the two writers' frames in order.
  Mutex mu_;
  bool writes_done_ ABSL_GUARDED_BY(mu_) = false;

  grpc::Alarm cancel_alarm_;
  std::atomic<bool> left_ = false;
  std::atomic<bool> leaving_ = false;  // Counted as such.
  std::optional<SignalSource::Watch> watch_;
  std::thread thread_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_PUMP_H_
