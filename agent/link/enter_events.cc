// What the client of an Enter is sent, and when there is room for it.

#include <string>
#include <utility>

#include "agent/link/enter_call.h"
#include "agent/link/frames.h"
#include "base/monotonic.h"
#include "base/status_macros.h"

namespace berth::agent {
namespace {

// A client of an older holder is told what was taken of its input after so
// long, or after so much.
constexpr absl::Duration kTellTime = absl::Milliseconds(100);
constexpr size_t kTellBytes = 4 << 10;
constexpr int kTellFrames = 16;
// Output that waits for room; more is dropped for the screen. What waits comes
// before the answer to what is typed, so it is little.
constexpr size_t kMaxWaiting = 32 << 10;

const std::string& DataOf(const v1::TerminalEvent& event) {
  return event.has_screen() ? event.screen().data() : event.output().data();
}

}  // namespace

absl::Status EnterCall::Show(v1::TerminalEvent event) {
  waiting_bytes_ += DataOf(event).size();
  waiting_.push_back(std::move(event));
  BERTH_RETURN_IF_ERROR(SendWaiting(/*all=*/false));
  if (waiting_bytes_ > kMaxWaiting) DropWaitingOutput();
  return absl::OkStatus();
}

absl::Status EnterCall::SendWaiting(bool all) {
  while (!waiting_.empty() && (all || !paced_ || window_.Room() > 0)) {
    const v1::TerminalEvent event = std::move(waiting_.front());
    waiting_.pop_front();
    const size_t size = DataOf(event).size();
    waiting_bytes_ -= size;
    shown_sent_ += size;
    window_.Sent(shown_sent_, size, waiting_.empty(), MonotonicNow());
    BERTH_RETURN_IF_ERROR(Send(event));
  }
  if (!waiting_.empty() || !follower_->needs_screen()) return absl::OkStatus();
  if (paced_ && window_.Room() == 0) return absl::OkStatus();
  if (const auto request = follower_->Redraw()) Watch(*request);
  return absl::OkStatus();
}

// A screen comes in parts, of which none may be missing; it is followed by what
// was printed since, and that is what goes.
void EnterCall::DropWaitingOutput() {
  while (!waiting_.empty() && waiting_.back().has_output()) {
    waiting_bytes_ -= DataOf(waiting_.back()).size();
    waiting_.pop_back();
    follower_->Lost();
  }
}

absl::Status EnterCall::SendInputTaken() {
  uint64_t offset = 0;
  {
    MutexLock lock(mu_);
    if (input_ == nullptr || knows_visits_) return absl::OkStatus();
    offset = input_->offset();
    if (offset == input_told_) {
      input_taken_at_ = absl::InfiniteFuture();
      bytes_untold_ = 0;
      frames_untold_ = 0;
      return absl::OkStatus();
    }
    const absl::Time now = MonotonicNow();
    if (input_taken_at_ == absl::InfiniteFuture()) {
      input_taken_at_ = now + kTellTime;
    }
    if (now < input_taken_at_ && !HasMuchToTell()) return absl::OkStatus();
    bytes_untold_ = 0;
    frames_untold_ = 0;
  }
  input_told_ = offset;
  input_taken_at_ = absl::InfiniteFuture();
  v1::TerminalEvent event;
  event.mutable_input_taken()->set_offset(offset);
  return Send(event);
}

bool EnterCall::HasMuchToTell() const {
  return bytes_untold_ >= kTellBytes || frames_untold_ >= kTellFrames;
}

absl::Status EnterCall::SendEnded(v1::TerminalEnded ended) {
  BERTH_RETURN_IF_ERROR(SendWaiting(/*all=*/true));
  over_ = true;
  v1::TerminalEvent event;
  *event.mutable_ended() = std::move(ended);
  return Send(event);
}

absl::Status EnterCall::SendSessionEnded() {
  v1::TerminalEnded ended;
  ended.set_why(v1::TerminalEnded::SESSION_ENDED);
  *ended.mutable_end() = session_->Snapshot().end();
  ended.set_detail(ended.end().detail());
  return SendEnded(std::move(ended));
}

absl::Status EnterCall::Send(const v1::TerminalEvent& event) {
  if (stream_.Write(ToFrame(event), /*more=*/false)) return absl::OkStatus();
  return absl::CancelledError("the client went away");
}

}  // namespace berth::agent
