#include "cli/run/follower.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/monotonic.h"
#include "base/pause_point.h"
#include "base/unique_fd.h"
#include "cli/client/event_stream.h"
#include "cli/render/duration.h"

namespace berth::cli {
namespace {

// How often people are told that it still tries.
constexpr absl::Duration kRemindTime = absl::Seconds(30);

// Whether it says that something is so, not that something broke.
bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::Status Follower::Run() {
  for (;;) {
    const absl::Status status = Attempt();
    if (!write_status_.ok()) return write_status_;
    if (invocation_.signals().left()) return absl::CancelledError("left");
    if (conversation_.IsComplete(view_)) return absl::OkStatus();
    if (status.ok() && conversation_.MayEnd(view_)) return status;
    if (!MayRetry(status) || !WaitForRetry(status)) return status;
    if (invocation_.signals().left()) return absl::CancelledError("left");
  }
}

absl::Status Follower::Attempt() {
  generation_ = connection_.generation();
  EventStream stream(connection_, conversation_.Method(connection_));
  if (stream.Write(conversation_.First(view_))) {
    sent_ = true;
    PausePoint("cli.run.sent_start");
    if (input_ != nullptr) input_->Restart();
    Pump pump(invocation_, conversation_, stream, view_, input_);
    Read(stream, pump);
    const absl::Status status = stream.Finish();
    // Acknowledgements may have been lost with the stream, or cut off.
    if (!status.ok()) view_.NoteReceipt();
    from_broker_ = stream.from_broker();
    // An agent that refuses knows that nothing was started, also by an attempt
    // before; anything else leaves it open.
    if (!from_broker_) {
      in_doubt_ = true;
    } else if (stream.forwarded()) {
      in_doubt_ = !IsRefusal(status);
    }
    return status;
  }
  const absl::Status status = stream.Finish();
  from_broker_ = stream.from_broker();
  return status;
}

void Follower::Read(EventStream& stream, Pump& pump) {
  EventStream::Frame frame;
  while (stream.Read(frame)) {
    if (!frame.is_output && frame.event.has_opened()) {
      opened_ = true;
      if (lost_at_ != absl::InfiniteFuture()) {
        invocation_.Say(absl::StrCat("reconnected to ", view_.session_name()));
      }
      lost_at_ = absl::InfiniteFuture();
      backoff_.Reset();
    }
    if (frame.event.has_stdin_credit()) {
      pump.Grant(frame.event.stdin_credit().limit());
    }
    if (frame.is_output) PausePoint("cli.run.got_output");
    const absl::Status status = pump.Take(frame);
    if (conversation_.IsComplete(view_)) {
      PausePoint("cli.run.before_exit");
      pump.Complete();
      if (conversation_.OnlyReads()) stream.Cancel();
      if (on_complete_ && status.ok()) std::exchange(on_complete_, nullptr)();
    } else if (frame.event.has_ended()) {
      // The peer waits for this before it ends the stream.
      pump.Acknowledge();
    } else {
      pump.Progressed();
    }
    if (!status.ok() && !invocation_.signals().left()) {
      // Nothing more can be shown: leave, with what was written acknowledged.
      write_status_ = status;
      invocation_.signals().Leave();
    }
  }
}

// As long as the session can't have got anything, the broker's word is final.
// Afterwards it may only not know yet that the session's computer is coming
// back, where the command may be running: nobody must have to start it again
// under another id. It cancels a stream, which we have not, only when it goes
// down itself.
bool Follower::MayRetry(const absl::Status& status) const {
  if (!sent_ || absl::IsDataLoss(status)) return false;
  if (!from_broker_ || absl::IsCancelled(status)) return true;
  if (status.ok()) return true;  // Ended too early.
  // The certificate has ended, and there is another by now.
  if (absl::IsUnauthenticated(status) &&
      generation_ < connection_.generation()) {
    return true;
  }
  return (opened_ || in_doubt_) && absl::IsUnavailable(status);
}

void Follower::TellLost(const absl::Status& status, absl::Time now) {
  const std::string left =
      ShortDuration(std::max(absl::ZeroDuration(), lost_at_ + patience_ - now));
  invocation_.Say(lost_at_ == now
                      ? absl::StrCat("connection to ", view_.session_name(),
                                     " lost; reconnecting for ", left, " (",
                                     status.message(), ")")
                      : absl::StrCat("still reconnecting to ",
                                     view_.session_name(), ", for ", left));
  remind_at_ = now + kRemindTime;
}

// False: patience is over. Ctrl-C meanwhile does not reach the command, so it
// leaves.
bool Follower::WaitForRetry(const absl::Status& status) {
  const absl::Time now = MonotonicNow();
  if (lost_at_ == absl::InfiniteFuture()) {
    lost_at_ = remind_at_ = now;
    interrupts_when_lost_ = invocation_.signals().interrupts();
  }
  if (now >= remind_at_) TellLost(status, now);
  const absl::Duration delay = backoff_.Next();
  if (now + delay > lost_at_ + patience_) return false;
  SignalSource& signals = invocation_.signals();
  // Ctrl-C from before the loss is sent again with the next stream.
  const int before = interrupts_when_lost_;
  const UniqueFd signalled(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  {
    const SignalSource::Watch watch(
        signals, [&](bool) { eventfd_write(signalled.get(), 1); });
    eventfd_t count;
    eventfd_read(signalled.get(), &count);
    pollfd any = {signalled.get(), POLLIN, 0};
    if (signals.interrupts() == before && !signals.left()) {
      poll(&any, 1, static_cast<int>(absl::ToInt64Milliseconds(delay)));
    }
  }
  if (signals.interrupts() > before && !signals.left()) signals.Leave();
  return true;
}

}  // namespace berth::cli
