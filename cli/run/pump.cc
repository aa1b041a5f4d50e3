#include "cli/run/pump.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/monotonic.h"
#include "base/pause_point.h"
#include "cli/client/connector.h"
#include "grpc/slice.h"

namespace berth::cli {
namespace {

// When somebody who pressed Ctrl-C should learn what else they can do.
constexpr absl::Duration kTellTime = absl::Seconds(1);

grpc::ByteBuffer InterruptFrame(bool skips) {
  v1::RunRequest request;
  request.mutable_interrupt()->set_skip_output(skips);
  return Serialize(request);
}

// The first `size` bytes of `buffer`; as a copy, if they are so few that they
// would hold too much memory.
grpc::Slice Trim(const grpc_slice& buffer, size_t size) {
  if (size < GRPC_SLICE_LENGTH(buffer) / 2) {
    return grpc::Slice(GRPC_SLICE_START_PTR(buffer), size);
  }
  return grpc::Slice(grpc_slice_sub(buffer, 0, size), grpc::Slice::STEAL_REF);
}

}  // namespace

Pump::Pump(Invocation& invocation, const Conversation& conversation,
           EventStream& stream, CommandView& view, StdinBuffer* input)
    : invocation_(invocation),
      conversation_(conversation),
      stream_(stream),
      view_(view),
      input_(input),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  watch_.emplace(invocation_.signals(), [this](bool left) {
    if (left && !left_.exchange(true)) OnLeft();
    Wake();
  });
  if (conversation_.OnlyReads()) Complete();
  thread_ = std::thread([this] { Loop(); });
}

Pump::~Pump() {
  watch_.reset();
  stopping_ = true;
  Wake();
  thread_.join();
  EndLeaving();
}

// Called with the lock of the signals held.
void Pump::OnLeft() {
  if (conversation_.OnlyReads()) return stream_.Cancel();
  leaving_ = true;
  invocation_.connector().leaving().Begin();
  // Holds on to the context: the alarm may ring when the stream is gone.
  cancel_alarm_.Set(
      std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kLeaveTime),
      [context = stream_.context()](bool rang) {
        if (rang) context->TryCancel();
      });
}

void Pump::EndLeaving() {
  if (leaving_.exchange(false)) invocation_.connector().leaving().End();
}

absl::Status Pump::Take(EventStream::Frame& frame) {
  MutexLock lock(take_mu_);
  if (invocation_.signals().left()) return absl::CancelledError("left");
  return view_.Take(frame);
}

// Waits for the frame that is being shown, so that what is acknowledged is
// what was written, to the byte.
void Pump::Leave() {
  tell_at_ = absl::InfiniteFuture();
  {
    MutexLock lock(take_mu_);
    // What does not fit any more is received later.
    view_.Flush().IgnoreError();
    view_.NoteReceipt();
  }
  // Only when the stream has ended has this surely arrived: then the leaving
  // is over. Who receives next waits for that.
  Close(/*leave=*/true);
}

void Pump::Grant(uint64_t limit) {
  if (input_ == nullptr) return;
  {
    MutexLock lock(mu_);
    input_->Grant(limit);
  }
  Wake();
}

void Pump::Progressed() {
  const uint64_t bytes = view_.unacknowledged();
  if (bytes == 0) return;
  if (!ack_due_.exchange(true) || bytes >= ack_bytes_ ||
      (bytes >= AckPace::kMinBytes && !ack_soon_.exchange(true))) {
    Wake();
  }
}

void Pump::Acknowledge() {
  MutexLock lock(mu_);
  WriteAcksLocked();
}

void Pump::Close(bool leave) {
  MutexLock lock(mu_);
  if (writes_done_) return;
  writes_done_ = true;
  PausePoint("cli.run.before_ack");
  std::vector<grpc::ByteBuffer> frames;
  for (const v1::Ack& ack : view_.TakeAcks()) {
    frames.push_back(conversation_.AckFrame(ack));
  }
  if (leave) frames.push_back(conversation_.LeaveFrame());
  for (size_t i = 0; i < frames.size(); ++i) {
    if (i + 1 < frames.size()) {
      stream_.Write(frames[i]);
    } else {
      stream_.WriteLast(frames[i]);
    }
  }
  if (frames.empty()) stream_.WritesDone();
}

void Pump::Loop() {
  while (!stopping_) {
    pollfd fds[] = {{wake_.get(), POLLIN, 0}, {-1, POLLIN, 0}};
    if (WantsInput()) fds[1].fd = invocation_.in().fd();
    const absl::Duration timeout = Timeout();
    poll(fds, 2,
         timeout == absl::InfiniteDuration()
             ? -1
             : static_cast<int>(absl::ToInt64Milliseconds(timeout) + 1));
    uint64_t count;
    if (fds[0].revents != 0) (void)!read(wake_.get(), &count, sizeof(count));
    if (stopping_) return;
    HandleSignals();
    HandleAcks();
    HandleInput();
    if (fds[1].revents != 0) {
      MutexLock lock(mu_);
      ReadInput();
    }
  }
}

absl::Duration Pump::Timeout() const {
  const absl::Time next = std::min(ack_at_, tell_at_);
  if (next == absl::InfiniteFuture()) return absl::InfiniteDuration();
  return std::max(absl::ZeroDuration(), next - MonotonicNow());
}

void Pump::HandleSignals() {
  SignalSource& signals = invocation_.signals();
  if (signals.left()) return Leave();
  if (signals.interrupts() > 0 && !interrupt_sent_) {
    interrupt_sent_ = true;
    tell_at_ = MonotonicNow() + kTellTime;
    MutexLock lock(mu_);
    // A person need not wait for what nobody will read; a program gets all.
    const bool skips =
        invocation_.out().IsTerminal() && invocation_.err().IsTerminal();
    if (!writes_done_) stream_.Write(InterruptFrame(skips));
  }
  if (MonotonicNow() >= tell_at_) {
    tell_at_ = absl::InfiniteFuture();
    invocation_.Say("interrupting; press Ctrl-C again to leave it running");
  }
}

void Pump::HandleAcks() {
  if (!ack_due_) return;
  const absl::Time now = MonotonicNow();
  const uint64_t bytes = view_.unacknowledged();
  ack_at_ = std::min(ack_at_, now + AckPace::Delay(bytes));
  if (now < ack_at_ && bytes < pace_.bytes()) return;
  pace_.Acknowledged(now);
  ack_bytes_ = pace_.bytes();
  ack_at_ = absl::InfiniteFuture();
  ack_due_ = false;
  ack_soon_ = false;
  MutexLock lock(mu_);
  WriteAcksLocked();
}

void Pump::WriteAcksLocked() {
  if (writes_done_) return;
  for (const v1::Ack& ack : view_.TakeAcks()) {
    PausePoint("cli.run.before_ack");
    stream_.Write(conversation_.AckFrame(ack));
  }
}

bool Pump::WantsInput() {
  if (input_ == nullptr) return false;
  MutexLock lock(mu_);
  return !writes_done_ && input_->room() > 0;
}

void Pump::HandleInput() {
  if (input_ == nullptr) return;
  MutexLock lock(mu_);
  while (!writes_done_) {
    const std::optional<grpc::ByteBuffer> frame = input_->Next();
    if (!frame || !stream_.Write(*frame)) return;
  }
}

void Pump::ReadInput() {
  const size_t room = input_->room();
  if (room == 0 || writes_done_) return;
  grpc_slice buffer = grpc_slice_malloc(room);
  const ssize_t count =
      invocation_.in().Read(GRPC_SLICE_START_PTR(buffer), room);
  if (count > 0) {
    input_->Add(Trim(buffer, count));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    // What can't be read any more has ended.
    input_->AddEof();
  }
  grpc_slice_unref(buffer);
  while (const std::optional<grpc::ByteBuffer> frame = input_->Next()) {
    if (!stream_.Write(*frame)) return;
  }
}

void Pump::Wake() {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof(one));
}

}  // namespace berth::cli
