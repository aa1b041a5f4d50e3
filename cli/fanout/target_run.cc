#include "cli/fanout/target_run.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "base/grpc_status.h"
#include "base/monotonic.h"
#include "base/uuid.h"
#include "cli/client/call.h"
#include "cli/client/sessions.h"

namespace berth::cli {
namespace {

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

void TargetRun::OnFinished() {
  const auto attempt = std::move(attempt_);
  const bool from_broker =
      attempt->status.ok() || IsFromBroker(attempt->context);
  in_doubt_ |= sent_ && (!from_broker || WasForwarded(attempt->context));
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
  return (opened_ || in_doubt_) && absl::IsUnavailable(status);
}

void TargetRun::Retry(const absl::Status& status) {
  const absl::Time now = MonotonicNow();
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
  const absl::Time now = MonotonicNow();
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
  v1::RunRequest interrupt;
  interrupt.mutable_interrupt()->set_skip_output(host_.plan().skips);
  attempt_->outgoing.push_front(Serialize(interrupt));
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

}  // namespace berth::cli
