#include "broker/relay/relayed_call.h"

#include <utility>

#include "base/grpc_status.h"
#include "base/pause_point.h"

namespace berth::broker {

void RelayedCall::ExpectFirstMessage() {
  FailAfter(kOpenTimeout,
            absl::DeadlineExceededError(
                "no first frame came within 30 s of opening the stream"));
}

void RelayedCall::ExpectAgent() {
  FailAfter(kAgentTimeout,
            absl::UnavailableError(
                "the computer's agent did not take the call within 10 s; the "
                "session lives on, try again"));
}

void RelayedCall::OnJoined(std::function<void()> joined) {
  MutexLock lock(mu_);
  joined_ = std::move(joined);
}

bool RelayedCall::Join(Splice::Leg* agent) {
  if (!splice_.Join(agent)) return false;
  CancelTimer();
  std::function<void()> joined;
  {
    MutexLock lock(mu_);
    joined.swap(joined_);
  }
  if (joined != nullptr) joined();
  return true;
}

void RelayedCall::ExpectVerdict() {
  FailAfter(kAgentTimeout,
            absl::UnavailableError(
                "the computer's agent did not say how the call ended; the "
                "session lives on, try again"));
}

void RelayedCall::Close() {
  {
    MutexLock lock(mu_);
    closed_ = true;
  }
  CancelTimer();
}

void RelayedCall::OnEnded(const link::v1::CallEnded& ended,
                          const absl::Status& status) {
  splice_.SetVerdict(status, ended.has_frames()
                                 ? std::optional<uint64_t>(ended.frames())
                                 : std::nullopt);
  // A verdict of success belongs to a stream that is still to come.
  if (!status.ok() && !splice_.joined()) FailAfter(kOvertake, status);
}

void RelayedCall::OnLaterCommand(CommandStarted told) {
  MutexLock lock(mu_);
  later_command_ = std::move(told);
}

void RelayedCall::OnCommandStarted(const link::v1::CommandStarted& started) {
  CommandStarted told;
  {
    MutexLock lock(mu_);
    told = later_command_;
  }
  if (told != nullptr) told(started);
}

void RelayedCall::OnLinkLost(const absl::Status& status) {
  splice_.Fail(status);
}

void RelayedCall::FailAfter(absl::Duration delay, absl::Status status) {
  CancelTimer();
  MutexLock lock(mu_);
  if (closed_) return;
  deadline_ = timer_.After(
      delay, [weak = weak_from_this(), status = std::move(status)] {
        if (auto call = weak.lock()) call->splice_.Fail(status);
      });
}

void RelayedCall::CancelTimer() {
  MutexLock lock(mu_);
  if (deadline_ != 0) timer_.Cancel(std::exchange(deadline_, 0));
}

AgentLeg::AgentLeg(grpc::CallbackServerContext* context, OpenCalls& calls,
                   std::shared_ptr<RelayedCall> call)
    : context_(context), call_(std::move(call)) {
  grpc::Slice empty;
  half_close_ = grpc::ByteBuffer(&empty, 1);
  joined_ = call_ != nullptr && call_->Join(this);
  if (!joined_) {
    Finish(grpc::Status(grpc::StatusCode::NOT_FOUND,
                        "no such call: the client went away"));
    return;
  }
  // It is the computer that is refused, and not who called it.
  revocable_.emplace(calls, context, [this](const absl::Status&) {
    call_->splice().Fail(absl::UnavailableError(
        "the broker does not let the computer's agent in any more; ask an "
        "administrator"));
  });
}

void AgentLeg::BeginRead(int slot) {
  read_slot_ = slot;
  StartRead(&call_->slot(Splice::kAgent, slot));
}

void AgentLeg::OnReadDone(bool ok) {
  if (ok) KillPoint("broker.relay.got_output");
  const size_t bytes =
      ok ? call_->slot(Splice::kAgent, read_slot_).Length() : 0;
  // Before the splice hears of it: it may end the call in there.
  if (!ok) call_->ExpectVerdict();
  call_->splice().ReadDone(Splice::kAgent, ok, bytes);
}

void AgentLeg::BeginWrite(int slot) {
  write_slot_ = slot;
  StartWrite(slot == Splice::kHalfCloseSlot
                 ? &half_close_
                 : &call_->slot(Splice::kClient, slot));
}

void AgentLeg::OnWriteDone(bool ok) {
  if (write_slot_ != Splice::kHalfCloseSlot) {
    call_->slot(Splice::kClient, write_slot_).Clear();
  }
  call_->splice().WriteDone(Splice::kAgent, ok);
}

void AgentLeg::OnCancel() {
  if (joined_) call_->splice().Cancelled(Splice::kAgent);
}

void AgentLeg::End(const absl::Status& status) { Finish(ToGrpcStatus(status)); }

ClientLeg::ClientLeg(grpc::CallbackServerContext* context, Timer& timer,
                     OpenCalls& calls, std::unique_ptr<Opener> opener)
    : context_(context),
      opener_(std::move(opener)),
      call_(std::make_shared<RelayedCall>(this, timer)) {
  call_->ExpectFirstMessage();
  StartRead(&first_);
  revocable_.emplace(calls, context, [this](const absl::Status& status) {
    call_->splice().Fail(status);
  });
}

void ClientLeg::OnReadDone(bool ok) {
  if (!std::exchange(first_read_, true)) return OnFirstMessage(ok);
  const size_t bytes =
      ok ? call_->slot(Splice::kClient, read_slot_).Length() : 0;
  call_->splice().ReadDone(Splice::kClient, ok, bytes);
}

void ClientLeg::OnFirstMessage(bool ok) {
  if (!ok) {
    call_->splice().Fail(absl::FailedPreconditionError(
        "the stream ended before its first frame, which must carry `open`"));
    return;
  }
  KillPoint("broker.relay.got_start");
  // Before the agent knows: it may be quicker than this thread.
  call_->ExpectAgent();
  forwarded_ = true;
  absl::StatusOr<Opener::Opened> opened = opener_->Open(first_, call_);
  first_.Clear();
  if (!opened.ok()) {
    forwarded_ = false;
    call_->splice().Fail(opened.status());
    return;
  }
  KillPoint("broker.relay.forwarded_start");
  opened_ = *std::move(opened);
  call_->splice().Start();
}

void ClientLeg::BeginRead(int slot) {
  read_slot_ = slot;
  StartRead(&call_->slot(Splice::kClient, slot));
}

void ClientLeg::BeginWrite(int slot) {
  write_slot_ = slot;
  StartWrite(&call_->slot(Splice::kAgent, slot));
}

void ClientLeg::OnWriteDone(bool ok) {
  if (ok) KillPoint("broker.relay.forwarded_output");
  call_->slot(Splice::kAgent, write_slot_).Clear();
  call_->splice().WriteDone(Splice::kClient, ok);
}

void ClientLeg::OnCancel() { call_->splice().Cancelled(Splice::kClient); }

void ClientLeg::End(const absl::Status& status) {
  if (forwarded_) {
    context_->AddTrailingMetadata(kForwardedKey, "1");
  }
  Finish(ToGrpcStatus(status));
}

void ClientLeg::OnDone() {
  call_->Close();
  if (opened_.connection != nullptr) {
    opened_.connection->ForgetCall(opened_.call_id,
                                   /*cancel=*/!call_->splice().joined());
  }
  delete this;
}

}  // namespace berth::broker
