#include "cli/fanout/target_run.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "base/grpc_status.h"
#include "base/proto_time.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/client/sessions.h"
#include "cli/run/stdin_buffer.h"

namespace berth::cli {
namespace {

// As cli/run/pump.h: so an interrupted client is sent little again.
constexpr uint64_t kAckBytes = 1 << 20;
constexpr absl::Duration kAckTime = absl::Milliseconds(100);
constexpr size_t kInputChunk = 256 << 10;
// How far ahead of what the command has taken input is read.
constexpr size_t kInputAhead = 1 << 20;
// How much later than a command's own timeout its end must have come.
constexpr absl::Duration kAnswerTime = absl::Seconds(15);

template <typename Request>
grpc::ByteBuffer Frame(const std::function<void(Request&)>& fill) {
  Request request;
  fill(request);
  return Serialize(request);
}

std::chrono::system_clock::time_point After(absl::Duration time) {
  return std::chrono::system_clock::now() + absl::ToChronoMilliseconds(time);
}

}  // namespace

TargetRun::TargetRun(TargetHost& host, size_t index, FanoutTarget target)
    : host_(host),
      index_(index),
      target_(std::move(target)),
      view_(host.invocation(), *this) {
  for (int op = 0; op < kOps; ++op) tags_[op] = {this, static_cast<Op>(op)};
  result_.command_id = NewUuid();
  result_.session.set_id(target_.name.session);
  result_.session.set_computer(target_.name.computer);
  if (target_.ref) {
    result_.session.set_instance_id(target_.ref->instance_id());
  }
}

void* TargetRun::TagOf(Op op) {
  ++pending_;
  return &tags_[op];
}

void TargetRun::Begin() {
  began_ = true;
  if (target_.ref) {
    StartStream();
  } else {
    Create();
  }
}

void TargetRun::OnEvent(Op op, bool ok) {
  --pending_;
  switch (op) {
    case kRead:
      return OnRead(ok);
    case kWrite:
      attempt_->writing = false;
      if (ok && !attempt_->first_sent) attempt_->first_sent = sent_ = true;
      if (ok) SendMore();
      if (ok && !concluded_ && !left_) SendInput();
      break;
    case kFinish:
      break;
    case kCreate:
      return OnCreated();
    case kRemove:
      remove_.reset();
      return;
    case kOps:
      return;
  }
  // The last of a stream's events.
  if (attempt_ != nullptr && attempt_->over && pending_ == 0) OnFinished();
}

// A session for this command alone.

void TargetRun::Create() {
  v1::CreateSessionRequest request = host_.plan().create;
  request.set_computer(target_.name.computer);
  request.set_instance_id(NewUuid());
  *request.mutable_client() = host_.connection().client();
  create_ = std::make_unique<Call<v1::CreateSessionResponse>>();
  create_->context.set_deadline(After(kCallTimeout));
  create_->reader = host_.connection().sessions().AsyncCreateSession(
      &create_->context, request, &host_.queue());
  create_->reader->Finish(&create_->response, &create_->status, TagOf(kCreate));
}

void TargetRun::OnCreated() {
  const auto call = std::move(create_);
  const absl::Status status =
      ToStatus(host_.connection(), call->context, call->status);
  if (!status.ok()) {
    return Conclude(left_ ? Cancelled("") : OutcomeOf(status));
  }
  result_.session = call->response.session();
  target_.ref = RefOf(result_.session);
  target_.shell = result_.session.shell();
  host_.presenter().Named(index_, result_.session.id());
  // An agent that ends it by itself says so.
  remove_session_ =
      host_.plan().create.temporary() && !result_.session.temporary();
  if (!stopped_ && !left_ && !concluded_) return StartStream();
  Conclude(expired_ ? TimedOut("") : Cancelled(""));
  remove_session_ = true;
  RemoveSession();
}

void TargetRun::RemoveSession() {
  if (!remove_session_) return;
  remove_session_ = false;
  v1::RemoveSessionRequest request;
  *request.mutable_session() = *target_.ref;
  *request.mutable_client() = host_.connection().client();
  remove_ = std::make_unique<Call<v1::RemoveSessionResponse>>();
  remove_->context.set_deadline(After(kCallTimeout));
  remove_->reader = host_.connection().sessions().AsyncRemoveSession(
      &remove_->context, request, &host_.queue());
  remove_->reader->Finish(&remove_->response, &remove_->status, TagOf(kRemove));
}

// A stream.

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
  *start.mutable_wait() = ToProto(plan.wait);
  if (plan.timeout) {
    *start.mutable_timeout() = ToProto(*plan.timeout);
    give_up_at_ = absl::Now() + plan.wait + *plan.timeout + kAnswerTime;
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
  const absl::Status status = view_.Take(frame_);
  if (!status.ok()) host_.OnBroken(status);
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
  const absl::Time now = absl::Now();
  if (bytes < kAckBytes && now < ack_at_) {
    if (ack_at_ != absl::InfiniteFuture()) return;
    ack_at_ = now + kAckTime;
    return host_.WakeAt(ack_at_, *this);
  }
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
    attempt_->outgoing.push_back(Frame<v1::RunRequest>([&](auto& request) {
      request.mutable_stdin()->set_offset(*end);
      request.mutable_stdin()->set_eof(true);
    }));
  } else if (!end) {
    input->Want(std::min(input_limit_, input_sent_ + kInputAhead));
  }
  SendMore();
}

void TargetRun::OnFinished() {
  const auto attempt = std::move(attempt_);
  const bool from_broker =
      attempt->status.ok() || IsFromBroker(attempt->context);
  absl::Status status =
      ToStatus(host_.connection(), attempt->context, attempt->status);
  if (attempt->malformed) {
    status = absl::DataLossError(
        "the session sent a frame that this version can't read; is its agent "
        "newer?");
  }
  if (concluded_) return RemoveSession();
  if (left_) {
    result_.goes_on = view_.started().has_value();
    return Conclude(Cancelled(""));
  }
  if (status.ok() && conversation_->MayEnd(view_)) {
    result_.goes_on = true;
    return Conclude(Outcome());
  }
  if (expired_) return Conclude(WithAdvice(TimedOut("")));
  if (!MayRetry(status, from_broker)) {
    Outcome outcome = OutcomeOf(status);
    // The user's own limit, if the session stayed busy for longer.
    if (absl::IsAborted(status) && host_.plan().wait > absl::ZeroDuration()) {
      outcome = TimedOut(status.message());
    }
    Conclude(WithAdvice(std::move(outcome)));
    return RemoveSession();
  }
  if (stopped_) return Conclude(WithAdvice(Cancelled("")));
  Retry(status);
}

// As Follower::MayRetry().
bool TargetRun::MayRetry(const absl::Status& status, bool from_broker) const {
  if (!sent_ || absl::IsDataLoss(status)) return false;
  if (!from_broker || absl::IsCancelled(status) || status.ok()) return true;
  return opened_ && absl::IsUnavailable(status);
}

void TargetRun::Retry(const absl::Status& status) {
  const absl::Time now = absl::Now();
  if (lost_at_ == absl::InfiniteFuture()) {
    lost_at_ = now;
    host_.OnLost(*this, status);
  }
  retry_at_ = now + backoff_.Next();
  if (retry_at_ > lost_at_ + host_.plan().patience) {
    host_.OnBack(*this);
    return Conclude(WithAdvice(OutcomeOf(absl::UnavailableError(
        absl::StrCat("the connection was lost (", status.message(), ")")))));
  }
  waiting_to_retry_ = true;
  host_.WakeAt(retry_at_, *this);
}

// What became of a command whose end was not seen.
Outcome TargetRun::WithAdvice(Outcome outcome) const {
  if (!view_.started()) return outcome;
  const_cast<FanoutResult&>(result_).goes_on = true;
  return outcome;
}

void TargetRun::OnTimer() {
  const absl::Time now = absl::Now();
  if (concluded_) return;
  if (waiting_to_retry_ && now >= retry_at_) return StartStream();
  if (now >= give_up_at_) {
    Conclude(WithAdvice(
        TimedOut("its timeout passed, and its computer does not answer")));
    return Abandon();
  }
  if (now >= ack_at_ && attempt_ != nullptr) SendAcks();
}

void TargetRun::Stop(bool expired) {
  if (concluded_) return;
  stopped_ = true;
  expired_ = expired_ || expired;
  if (waiting_to_retry_) {
    waiting_to_retry_ = false;
    return Conclude(
        WithAdvice(expired ? TimedOut("") : Cancelled("while reconnecting")));
  }
  if (attempt_ == nullptr || attempt_->close_wanted) return;
  // Overtakes input, but not the first frame.
  attempt_->outgoing.push_front(Frame<v1::RunRequest>(
      [](auto& request) { request.mutable_interrupt(); }));
  SendMore();
}

void TargetRun::Leave() {
  if (left_) return;
  left_ = true;
  if (concluded_) return;
  if (waiting_to_retry_) {
    waiting_to_retry_ = false;
    return Conclude(WithAdvice(Cancelled("")));
  }
  if (create_ != nullptr) return create_->context.TryCancel();
  if (attempt_ == nullptr || attempt_->close_wanted) return;
  // What does not fit any more is received later.
  view_.Flush().IgnoreError();
  for (const v1::Ack& ack : view_.TakeAcks()) {
    attempt_->outgoing.push_back(conversation_->AckFrame(ack));
  }
  attempt_->outgoing.push_back(conversation_->LeaveFrame());
  CloseStream();
  if (held_back_ || paused_) ReadMore();
  held_back_ = paused_ = false;
}

void TargetRun::Abandon() {
  if (attempt_ != nullptr) {
    attempt_->context.TryCancel();
    if (held_back_ || paused_) ReadMore();
    held_back_ = paused_ = false;
  }
  if (create_ != nullptr) create_->context.TryCancel();
  if (remove_ != nullptr) remove_->context.TryCancel();
  if (began_ && !concluded_) {
    Conclude(WithAdvice(expired_ ? TimedOut("") : Cancelled("")));
  }
}

void TargetRun::Conclude(Outcome outcome) {
  if (concluded_) return;
  concluded_ = true;
  host_.OnEnded(*this, std::move(outcome));
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
