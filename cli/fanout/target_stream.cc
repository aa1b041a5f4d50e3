// One stream of a target's course: what is sent, and what comes.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/monotonic.h"
#include "base/proto_time.h"
#include "cli/fanout/target_run.h"
#include "cli/run/stdin_buffer.h"

namespace berth::cli {
namespace {

// As cli/run/pump.h: so an interrupted client is sent little again.
constexpr size_t kInputChunk = 256 << 10;
// How far ahead of what the command has taken input is read.
constexpr size_t kInputAhead = 1 << 20;
// How much later than a command's own timeout its end must have come.
constexpr absl::Duration kAnswerTime = absl::Seconds(15);

}  // namespace

absl::Status TargetRun::PrepareConversation() {
  if (conversation_) return absl::OkStatus();
  const FanoutPlan& plan = host_.plan();
  const absl::StatusOr<std::string> script = plan.script(target_.shell);
  if (!script.ok()) return script.status();
  v1::OpenSession open;
  *open.mutable_session() = *target_.ref;
  *open.mutable_client() = host_.connection().client();
  v1::StartCommand start;
  start.set_command_id(result_.command_id);
  start.set_script(*script);
  start.set_with_stdin(host_.input() != nullptr);
  start.set_detach(plan.detach);
  start.set_exit_ends_session(plan.exit_ends_session);
  start.mutable_secrets()->insert(plan.secrets.begin(), plan.secrets.end());
  *start.mutable_wait() = ToProto(plan.wait);
  if (plan.timeout) {
    *start.mutable_timeout() = ToProto(*plan.timeout);
    give_up_at_ = MonotonicNow() + plan.wait + *plan.timeout + kAnswerTime;
    host_.WakeAt(give_up_at_, *this);
  }
  conversation_.emplace(std::move(open), std::move(start));
  return absl::OkStatus();
}

void TargetRun::StartStream() {
  if (absl::Status status = PrepareConversation(); !status.ok()) {
    return Conclude(OutcomeOf(status));
  }
  waiting_to_retry_ = false;
  input_sent_ = input_most_ - input_window_;
  input_limit_ = 0;
  input_closed_ = false;
  attempt_ = std::make_unique<Attempt>();
  // The first message travels with the headers, which saves a write.
  attempt_->context.set_initial_metadata_corked(true);
  attempt_->stream.reset(
      grpc::internal::ClientAsyncReaderWriterFactory<
          grpc::ByteBuffer,
          grpc::ByteBuffer>::Create(&host_.connection().channel(),
                                    &host_.queue(),
                                    host_.connection().run_method(),
                                    &attempt_->context, /*start=*/true,
                                    nullptr));
  attempt_->outgoing.push_back(conversation_->First(view_));
  SendMore();
  ReadMore();
}

void TargetRun::ReadMore() {
  attempt_->stream->Read(&attempt_->message, TagOf(kRead));
}

void TargetRun::SendMore() {
  Attempt& attempt = *attempt_;
  if (attempt.writing || attempt.closed) return;
  if (attempt.outgoing.empty()) {
    if (!attempt.close_wanted) return;
    attempt.writing = attempt.closed = true;
    return attempt.stream->WritesDone(TagOf(kWrite));
  }
  attempt.writing = true;
  const grpc::ByteBuffer frame = std::move(attempt.outgoing.front());
  attempt.outgoing.pop_front();
  grpc::WriteOptions options;
  if (attempt.outgoing.empty() && attempt.close_wanted) {
    attempt.closed = true;
    options.set_last_message();
  }
  attempt.stream->Write(frame, options, TagOf(kWrite));
}

void TargetRun::OnRead(bool ok) {
  Attempt& attempt = *attempt_;
  if (!ok) {
    attempt.over = true;
    return attempt.stream->Finish(&attempt.status, TagOf(kFinish));
  }
  if (!parser_.Parse(attempt.message, frame_)) {
    attempt.malformed = true;
    attempt.context.TryCancel();
    return ReadMore();
  }
  // Who leaves has acknowledged all that was shown.
  if (left_ || concluded_) return ReadMore();
  TakeFrame();
}

void TargetRun::TakeFrame() {
  const v1::CommandEvent& event = frame_.event;
  if (!frame_.is_output && event.has_opened()) {
    result_.session = event.opened().session();
    if (target_.name.session == 0) {
      host_.presenter().Named(index_, result_.session.id());
    }
    opened_ = true;
    backoff_.Reset();
    if (lost_at_ != absl::InfiniteFuture()) host_.OnBack(*this);
    lost_at_ = absl::InfiniteFuture();
  }
  if (!frame_.is_output && event.has_ended()) {
    if (absl::Status status = Flush(); !status.ok()) host_.OnBroken(status);
    return TakeEnded();
  }
  if (!frame_.is_output && event.has_stdin_credit()) {
    input_limit_ = std::max(input_limit_, event.stdin_credit().limit());
    if (input_window_ == 0) input_window_ = input_limit_;
    input_most_ = std::max(input_most_, input_limit_);
    SendInput();
  }
  // What follows does not go on in the same line.
  if (!frame_.is_output && event.has_skipped()) {
    if (absl::Status status = Flush(); !status.ok()) host_.OnBroken(status);
  }
  const absl::Status status = view_.Take(frame_);
  if (!status.ok()) host_.OnBroken(status);
  result_.skipped = view_.skipped();
  SendAcks();
  if (host_.writer().waiting() > Writer::kMuch) {
    paused_ = true;
    return host_.WhenWritten(*this);
  }
  ReadMore();
}

// The end is acknowledged, and shown, once everything before it is written.
void TargetRun::TakeEnded() {
  if (written() < passed_) {
    held_back_ = true;
    return host_.WhenWritten(*this);
  }
  held_back_ = false;
  const absl::Status status = view_.Take(frame_);
  if (!status.ok()) host_.OnBroken(status);
  const Outcome outcome = OutcomeOf(*view_.ended(), stopped_, expired_);
  CloseStream();
  ReadMore();
  Conclude(outcome);
}

void TargetRun::CloseStream() {
  for (const v1::Ack& ack : view_.TakeAcks()) {
    attempt_->outgoing.push_back(conversation_->AckFrame(ack));
  }
  attempt_->close_wanted = true;
  SendMore();
}

void TargetRun::SendAcks() {
  const uint64_t bytes = view_.unacknowledged();
  if (bytes == 0) return;
  const absl::Time now = MonotonicNow();
  if (bytes < pace_.bytes() && now < ack_at_) {
    const absl::Time at = now + AckPace::Delay(bytes);
    if (at >= ack_at_) return;
    ack_at_ = at;
    return host_.WakeAt(ack_at_, *this);
  }
  pace_.Acknowledged(now);
  ack_at_ = absl::InfiniteFuture();
  for (const v1::Ack& ack : view_.TakeAcks()) {
    attempt_->outgoing.push_back(conversation_->AckFrame(ack));
  }
  SendMore();
}

void TargetRun::OnWritten() {
  if (attempt_ == nullptr || left_ || concluded_) return;
  if (held_back_) {
    TakeEnded();
  } else if (paused_) {
    if (host_.writer().waiting() > Writer::kMuch) {
      return host_.WhenWritten(*this);
    }
    paused_ = false;
    ReadMore();
  }
}

void TargetRun::OnInput() {
  if (attempt_ != nullptr && !concluded_) SendInput();
}

void TargetRun::SendInput() {
  SharedInput* const input = host_.input();
  if (input == nullptr || attempt_->close_wanted || input_closed_) return;
  const std::optional<uint64_t> end = input->end();
  while (input_sent_ < input_limit_ && attempt_->outgoing.size() < 4) {
    const size_t room =
        std::min<uint64_t>(kInputChunk, input_limit_ - input_sent_);
    const absl::StatusOr<std::string> data = input->Read(input_sent_, room);
    if (!data.ok()) {
      Conclude(OutcomeOf(data.status()));
      return Abandon();
    }
    if (data->empty()) break;
    attempt_->outgoing.push_back(StdinFrame(input_sent_, grpc::Slice(*data)));
    input_sent_ += data->size();
  }
  if (end && input_sent_ == *end) {
    input_closed_ = true;
    v1::RunRequest eof;
    eof.mutable_stdin()->set_offset(*end);
    eof.mutable_stdin()->set_eof(true);
    attempt_->outgoing.push_back(Serialize(eof));
  } else if (!end) {
    input->Want(std::min(input_limit_, input_sent_ + kInputAhead));
  }
  SendMore();
}

// The output.

absl::Status TargetRun::Write(v1::OutputStream stream, uint64_t offset,
                              absl::Span<iovec> pieces, size_t size) {
  uint64_t at = offset;
  for (const iovec& piece : pieces) {
    const Presenter::Taken taken = host_.presenter().Output(
        index_, stream, at,
        {static_cast<const char*>(piece.iov_base), piece.iov_len});
    if (!taken.status.ok()) return taken.status;
    tickets_.push_back({taken.ticket, taken.safe});
    at += piece.iov_len;
  }
  passed_ = offset + size;
  return absl::OkStatus();
}

absl::Status TargetRun::Flush() {
  const Presenter::Taken taken = host_.presenter().Flush(index_, passed_);
  tickets_.push_back({taken.ticket, taken.safe});
  return taken.status;
}

uint64_t TargetRun::written() const {
  const uint64_t written = host_.writer().written();
  while (!tickets_.empty() && tickets_.front().first <= written) {
    written_ = std::max(written_, tickets_.front().second);
    tickets_.pop_front();
  }
  return written_;
}

}  // namespace berth::cli
