#include "broker/relay/agent_connection.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

// The status that an agent put into a message. A code of no meaning is
// Unknown.
absl::Status StatusOf(int code, const std::string& message) {
  if (code < 0 || code > static_cast<int>(absl::StatusCode::kUnauthenticated)) {
    return absl::UnknownError(message);
  }
  return absl::Status(static_cast<absl::StatusCode>(code), message);
}

}  // namespace

uint64_t AgentConnection::NextId() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

void AgentConnection::Ask(link::v1::Request request, absl::Duration timeout,
                          ReplyHandler handler) {
  const uint64_t id = NextId();
  request.set_request_id(id);
  link::v1::BrokerMessage message;
  *message.mutable_request() = std::move(request);
  absl::Status status;
  {
    MutexLock lock(mu_);
    if (!closed_.ok()) {
      status = closed_;
    } else if (pending_.size() >= kMaxInProgress) {
      status = absl::ResourceExhaustedError(absl::StrCat(
          "computer '", computer_, "' has ", kMaxInProgress,
          " requests in progress, the most it may have; try again"));
    } else {
      const Timer::Id timer =
          timer_.After(timeout, [weak = weak_from_this(), id, timeout] {
            auto self = weak.lock();
            ReplyHandler late = self ? self->TakePending(id) : nullptr;
            if (!late) return;
            late(absl::DeadlineExceededError(absl::StrFormat(
                "computer '%s' did not answer within %s", self->computer_,
                absl::FormatDuration(timeout))));
          });
      pending_.emplace(id, Pending{std::move(handler), timer});
    }
  }
  if (status.ok()) {
    status = Send(std::move(message));
    if (!status.ok()) handler = TakePending(id);
  }
  if (!status.ok() && handler) handler(status);
}

absl::StatusOr<uint64_t> AgentConnection::OpenCall(link::v1::OpenCall open,
                                                   std::shared_ptr<Call> call) {
  BERTH_ASSIGN_OR_RETURN(const uint64_t id, ReserveCall(std::move(call)));
  BERTH_RETURN_IF_ERROR(TellOfCall(id, std::move(open)));
  return id;
}

absl::StatusOr<uint64_t> AgentConnection::ReserveCall(
    std::shared_ptr<Call> call) {
  const uint64_t id = NextId();
  MutexLock lock(mu_);
  if (!closed_.ok()) return closed_;
  if (calls_.size() >= kMaxInProgress) {
    return absl::ResourceExhaustedError(
        absl::StrCat("computer '", computer_, "' has ", kMaxInProgress,
                     " open streams, the most it may have; end some first"));
  }
  calls_.emplace(id, std::move(call));
  return id;
}

absl::Status AgentConnection::TellOfCall(uint64_t id, link::v1::OpenCall open) {
  if (FindCall(id) == nullptr) return absl::OkStatus();
  open.set_call_id(id);
  link::v1::BrokerMessage message;
  *message.mutable_open_call() = std::move(open);
  absl::Status status = Send(std::move(message));
  if (!status.ok()) ForgetCall(id, /*cancel=*/false);
  return status;
}

std::shared_ptr<AgentConnection::Call> AgentConnection::FindCall(
    uint64_t id) const {
  MutexLock lock(mu_);
  auto call = calls_.find(id);
  return call == calls_.end() ? nullptr : call->second;
}

void AgentConnection::ForgetCall(uint64_t id, bool cancel) {
  std::shared_ptr<Call> call;  // Destroyed after the lock is released.
  {
    MutexLock lock(mu_);
    auto found = calls_.find(id);
    if (found == calls_.end()) return;
    call = std::move(found->second);
    calls_.erase(found);
  }
  if (!cancel) return;
  link::v1::BrokerMessage message;
  message.mutable_cancel_call()->set_call_id(id);
  // If the link is down, so is the call.
  Send(std::move(message)).IgnoreError();
}

AgentConnection::ReplyHandler AgentConnection::TakePending(uint64_t id) {
  MutexLock lock(mu_);
  auto pending = pending_.find(id);
  if (pending == pending_.end()) return nullptr;
  ReplyHandler handler = std::move(pending->second.handler);
  timer_.Cancel(pending->second.timer);
  pending_.erase(pending);
  return handler;
}

void AgentConnection::OnReply(link::v1::Reply reply) {
  ReplyHandler handler = TakePending(reply.request_id());
  if (!handler) return;
  if (reply.code() != 0) {
    handler(StatusOf(reply.code(), reply.message()));
  } else {
    handler(std::move(reply));
  }
}

bool AgentConnection::OnCommandStarted(
    const link::v1::CommandStarted& started) {
  std::shared_ptr<Call> call = FindCall(started.call_id());
  if (call != nullptr) call->OnCommandStarted(started);
  return call != nullptr;
}

void AgentConnection::OnCallEnded(const link::v1::CallEnded& ended) {
  if (std::shared_ptr<Call> call = FindCall(ended.call_id())) {
    call->OnEnded(ended, StatusOf(ended.code(), ended.message()));
  }
}

void AgentConnection::Close(const absl::Status& status,
                            const absl::Status& reason) {
  absl::flat_hash_map<uint64_t, Pending> pending;
  absl::flat_hash_map<uint64_t, std::shared_ptr<Call>> calls;
  {
    MutexLock lock(mu_);
    if (!closed_.ok()) return;
    closed_ = reason;
    pending.swap(pending_);
    calls.swap(calls_);
  }
  outbox_->Close(status);
  for (auto& [id, waiting] : pending) {
    timer_.Cancel(waiting.timer);
    waiting.handler(reason);
  }
  for (auto& [id, call] : calls) call->OnLinkLost(reason);
}

}  // namespace berth::broker
