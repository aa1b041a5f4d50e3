#include "cli/keeper/presence.h"

#include <algorithm>
#include <utility>

#include "base/monotonic.h"
#include "cli/client/backoff.h"
#include "spdlog/spdlog.h"

namespace berth::cli {

Presence::Presence(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)), thread_([this] { Loop(); }) {}

Presence::~Presence() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.NotifyAll();
  }
  thread_.join();
}

bool Presence::Wait(absl::Duration timeout) {
  const absl::Time deadline = MonotonicNow() + timeout;
  MutexLock lock(mu_);
  const uint64_t wanted = ended_ + 1;
  wanted_ = std::max(wanted_, wanted);
  changed_.NotifyAll();
  while (!present_ && ended_ < wanted) {
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(mu_, left);
  }
  return present_;
}

bool Presence::present() const {
  MutexLock lock(mu_);
  return present_;
}

void Presence::Loop() {
  Backoff backoff;
  for (;;) {
    grpc::ClientContext context;
    {
      MutexLock lock(mu_);
      if (stopping_) return;
      context_ = &context;
    }
    Attempt(context);
    MutexLock lock(mu_);
    context_ = nullptr;
    if (present_) backoff.Reset();
    present_ = false;
    ++ended_;
    changed_.NotifyAll();
    const absl::Time next = MonotonicNow() + backoff.Next();
    while (!stopping_ && ended_ >= wanted_) {
      const absl::Duration left = next - MonotonicNow();
      if (left <= absl::ZeroDuration()) break;
      changed_.WaitFor(mu_, left);
    }
    if (stopping_) return;
  }
}

void Presence::Attempt(grpc::ClientContext& context) {
  const auto stream = connection_->sessions().Hold(&context);
  v1::HoldRequest request;
  *request.mutable_client() = connection_->client();
  if (stream->Write(request)) {
    v1::HoldResponse response;
    while (stream->Read(&response)) {
      last_error_.clear();
      MutexLock lock(mu_);
      present_ = response.present();
      changed_.NotifyAll();
    }
  }
  const grpc::Status status = stream->Finish();
  const std::string error =
      status.ok() ? "closed by the broker" : status.error_message();
  // A broker that stays away is one line in the log.
  if (error == last_error_) return;
  last_error_ = error;
  SPDLOG_INFO("broker {}: presence ended: {}", connection_->broker(), error);
}

}  // namespace berth::cli
