#include "cli/run/command_view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "cli/client/connector.h"
#include "cli/render/sessions.h"

namespace berth::cli {
namespace {

// Removes the first `bytes` from `pieces`.
void Skip(std::vector<iovec>& pieces, size_t bytes) {
  for (iovec& piece : pieces) {
    const size_t part = std::min(bytes, piece.iov_len);
    piece.iov_base = static_cast<char*>(piece.iov_base) + part;
    piece.iov_len -= part;
    bytes -= part;
  }
}

}  // namespace

absl::Status CommandView::Take(EventStream::Frame& frame) {
  return frame.is_output ? TakeOutput(frame) : TakeEvent(frame.event);
}

absl::Status CommandView::TakeOutput(EventStream::Frame& frame) {
  const uint64_t end = frame.offset + frame.size;
  taken_ = std::max(taken_, end);
  if (end <= next_) {  // Seen on an earlier stream.
    Acknowledge(/*at_end=*/false);
    return absl::OkStatus();
  }
  if (frame.offset < next_) {
    const size_t seen = next_ - frame.offset;
    Skip(frame.pieces, seen);
    frame.offset += seen;
    frame.size -= seen;
  } else if (frame.offset > next_ && !peeks_) {
    v1::OutputGap gap;
    gap.set_offset(next_);
    gap.set_length(frame.offset - next_);
    TakeGap(gap);
  }
  const absl::Status status = sink_.Write(
      frame.stream, frame.offset, absl::MakeSpan(frame.pieces), frame.size);
  next_ = end;
  Acknowledge(/*at_end=*/false);
  return status;
}

absl::Status CommandView::TakeEvent(const v1::CommandEvent& event) {
  switch (event.event_case()) {
    case v1::CommandEvent::kOpened:
      session_ = event.opened().session();
      break;
    case v1::CommandEvent::kQueued:
      TakeQueued(event.queued());
      break;
    case v1::CommandEvent::kStarted:
      TakeStarted(event.started());
      break;
    case v1::CommandEvent::kGap:
      TakeGap(event.gap());
      break;
    case v1::CommandEvent::kSkipped:
      TakeSkipped(event.skipped());
      break;
    case v1::CommandEvent::kEnded:
      return TakeEnded(event.ended());
    case v1::CommandEvent::kNotice:
      invocation_.Say(
          absl::StrCat(session_name(), ": ", event.notice().text()));
      break;
    default:  // Credit is the pump's; unknown frames are skipped.
      break;
  }
  return absl::OkStatus();
}

void CommandView::TakeQueued(const v1::CommandQueued& queued) {
  if (!invocation_.err().IsTerminal()) return;
  invocation_.Say(absl::StrCat("waiting for ", session_name(),
                               ", busy with: ", Describe(queued.behind())));
}

void CommandView::TakeStarted(const v1::CommandStarted& started) {
  const bool same = started_ && started_->sequence() == started.sequence();
  if (!same) {
    if (started_) earlier_[started_->sequence()] = next_;
    const auto it = earlier_.find(started.sequence());
    next_ = it != earlier_.end() ? it->second : started.from_offset();
    if (goes_on_) {
      next_ = std::max(
          next_, invocation_.connector().receipts().Find(started.command_id()));
    }
    sink_.StartAt(next_);
    MutexLock lock(mu_);
    acknowledged_ = next_;
    command_id_ = started.command_id();
  }
  {
    // What this stream repeats is on the link all the same, and has to be told
    // of before the session sends what follows.
    MutexLock lock(mu_);
    taken_ = shown_ = started.from_offset();
  }
  started_ = started;
  ended_.reset();
}

void CommandView::TakeGap(const v1::OutputGap& gap) {
  const uint64_t end = gap.offset() + gap.length();
  if (end <= next_) return;
  invocation_.Say(absl::StrCat(
      session_name(), ": ", end - next_, " bytes of output are missing at ",
      next_, ": the log was full and its oldest output was dropped"));
  PassTo(end);
}

void CommandView::PassTo(uint64_t end) {
  // Unless something before could not be written, or is not yet.
  if (sink_.written() == next_) sink_.StartAt(end);
  next_ = end;
  taken_ = std::max(taken_, end);
  Acknowledge(/*at_end=*/false);
}

void CommandView::TakeSkipped(const v1::OutputSkipped& skipped) {
  const uint64_t end = skipped.offset() + skipped.length();
  if (end <= next_) return;
  if (skipped_ == 0) skipped_from_ = next_;
  skipped_ += end - next_;
  PassTo(end);
}

absl::Status CommandView::TakeEnded(const v1::CommandEnded& ended) {
  const absl::Status status = Flush();
  ended_ = ended;
  Acknowledge(/*at_end=*/true);
  return status;
}

absl::Status CommandView::Flush() {
  const absl::Status status = sink_.Flush();
  Acknowledge(/*at_end=*/false);
  return status;
}

// The end of a command is acknowledged even if it printed nothing.
void CommandView::Acknowledge(bool at_end) {
  if (!started_ || peeks_) return;
  const uint64_t written = sink_.written();
  MutexLock lock(mu_);
  if (written <= acknowledged_ && taken_ <= shown_ && !at_end) return;
  unacknowledged_ += taken_ - shown_;
  acknowledged_ = std::max(acknowledged_, written);
  shown_ = taken_;
  if (acks_.empty() || acks_.back().sequence() != started_->sequence()) {
    acks_.emplace_back().set_sequence(started_->sequence());
  }
  acks_.back().set_offset(acknowledged_);
  acks_.back().set_shown(shown_);
}

void CommandView::NoteReceipt() {
  std::string command_id;
  uint64_t written = 0;
  {
    MutexLock lock(mu_);
    command_id = command_id_;
    written = acknowledged_;
  }
  if (peeks_ || written == 0) return;
  invocation_.connector().receipts().Note(command_id, written);
}

std::vector<v1::Ack> CommandView::TakeAcks() {
  MutexLock lock(mu_);
  unacknowledged_ = 0;
  return std::exchange(acks_, {});
}

uint64_t CommandView::unacknowledged() const {
  MutexLock lock(mu_);
  return unacknowledged_;
}

std::string CommandView::session_name() const {
  if (!session_) return "the session";
  return absl::StrCat(session_->computer(), "/", session_->id());
}

}  // namespace berth::cli
