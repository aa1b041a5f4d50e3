// The client's frames in a Run, and what they ask of the holder.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/link/frames.h"
#include "agent/link/holder_requests.h"
#include "agent/link/run_call.h"
#include "agent/sessions/holder_version.h"
#include "base/pause_point.h"
#include "base/status_macros.h"
#include "base/unique_fd.h"

namespace berth::agent {
namespace {

constexpr size_t kMaxInputFrame = 256 << 10;
constexpr size_t kMaxInputPacket = 64 << 10;

}  // namespace

absl::Status RunCall::OnFrame(const grpc::ByteBuffer& frame) {
  v1::RunRequest request;
  if (!ParseFrame(frame, request)) {
    return absl::InvalidArgumentError("malformed frame: not a RunRequest");
  }
  return OnRequest(request, /*first=*/false);
}

absl::Status RunCall::OnRequest(const v1::RunRequest& request, bool first) {
  // The parts of the first one that can't wait were seen to before.
  if (!first) {
    if (request.has_open()) {
      return absl::FailedPreconditionError(
          "`open` belongs to the first frame alone");
    }
    if (request.has_start()) {
      BERTH_RETURN_IF_ERROR(Start(request.start()));
      context_.started(open_, request.start());
    }
  }
  if (request.has_stdin()) BERTH_RETURN_IF_ERROR(Input(request.stdin()));
  if (request.has_interrupt()) {
    BERTH_RETURN_IF_ERROR(Interrupt(request.interrupt()));
  }
  if (request.has_ack()) Acknowledge(request.ack());
  if (request.leave()) {
    left_ = true;
    stream_.Wake();
  }
  return absl::OkStatus();
}

absl::Status RunCall::Start(const v1::StartCommand& start) {
  PausePoint("agent.run.got_start");
  BERTH_ASSIGN_OR_RETURN(holder::v1::Request request, MakeStartRequest(start));
  if (HolderVersionOf(session_->directory()) >= kScreensVersion) {
    request.mutable_start()->set_user(open_.user());
  }
  BERTH_ASSIGN_OR_RETURN(const UniqueFd script, ScriptFile(start.script()));
  {
    MutexLock lock(mu_);
    if (phase_ != Phase::kNone) {
      return absl::FailedPreconditionError(
          "a command of this stream runs: wait for its end, or open another "
          "stream");
    }
    phase_ = Phase::kAsked;
    asked_ = true;
    number_ = 0;
    started_ = false;
    command_id_ = start.command_id();
    digest_ = request.start().digest();
    next_ = {start.command_id(), start.from_offset(), start.detach()};
  }
  PausePoint("agent.run.before_holder");
  Send(request, script.get());
  PausePoint("agent.run.after_holder");
  return absl::OkStatus();
}

uint64_t RunCall::WaitForNumber() {
  MutexLock lock(mu_);
  // Ends with the call, or when the holder answers or goes away.
  while (phase_ == Phase::kAsked) changed_.WaitFor(mu_, absl::Minutes(1));
  return phase_ == Phase::kNone ? 0 : number_;
}

absl::Status RunCall::Input(const v1::StdinChunk& chunk) {
  if (chunk.data().size() > kMaxInputFrame) {
    return absl::InvalidArgumentError(
        absl::StrCat("a stdin frame of ", chunk.data().size(),
                     " bytes is too long: at most ", kMaxInputFrame));
  }
  const uint64_t number = WaitForNumber();
  if (number == 0) return absl::OkStatus();  // Too late: it has ended.
  size_t at = 0;
  do {
    holder::v1::Request request;
    holder::v1::Stdin& input = *request.mutable_stdin();
    input.set_sequence(number);
    input.set_offset(chunk.offset() + at);
    input.set_data(chunk.data().substr(at, kMaxInputPacket));
    at += input.data().size();
    input.set_eof(chunk.eof() && at == chunk.data().size());
    Send(request);
  } while (at < chunk.data().size());
  return absl::OkStatus();
}

absl::Status RunCall::Interrupt(const v1::Interrupt& interrupt) {
  uint64_t number = 0;
  bool waits = false;
  bool current = interrupt.command_id().empty();
  {
    MutexLock lock(mu_);
    current = current ||
              (phase_ != Phase::kNone && interrupt.command_id() == command_id_);
  }
  if (current) {
    number = WaitForNumber();
    MutexLock lock(mu_);
    waits = !started_;
  } else {
    BERTH_ASSIGN_OR_RETURN(
        number, FindCommand(session_->directory(), interrupt.command_id()));
  }
  if (number == 0) return absl::OkStatus();  // It has ended.
  holder::v1::Request request;
  if (waits) {
    request.mutable_withdraw()->set_sequence(number);
  } else {
    request.mutable_interrupt()->set_sequence(number);
    request.mutable_interrupt()->set_force(interrupt.force());
    if (current && interrupt.skip_output()) {
      skips_ = true;
      stream_.Wake();
    }
  }
  Send(request);
  return absl::OkStatus();
}

void RunCall::Acknowledge(const v1::Ack& ack) {
  holder::v1::Request request;
  holder::v1::Ack& acked = *request.mutable_ack();
  acked.set_sequence(ack.sequence());
  acked.set_offset(ack.offset());
  {
    MutexLock lock(mu_);
    acked.set_ended(ack.sequence() == ended_number_ &&
                    ack.offset() >= ended_offset_);
    end_acked_ |= acked.ended();
  }
  PausePoint("agent.run.before_ack");
  if (follower_->Shown(ack.sequence(), ack.shown())) stream_.Wake();
  if (session_->ended()) return AcknowledgeEnded(*session_, acked);
  Send(request);
}

}  // namespace berth::agent
