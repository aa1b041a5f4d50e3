#include "broker/relay/control_outbox.h"

#include <utility>

namespace berth::broker {

absl::Status ControlOutbox::Send(link::v1::BrokerMessage message) {
  const size_t bytes = message.ByteSizeLong();
  MutexLock lock(mu_);
  if (closing_.has_value()) {
    return absl::UnavailableError("the link to the computer is down");
  }
  if (queued_bytes_ + bytes > kMaxQueuedBytes) {
    CloseLocked(absl::ResourceExhaustedError(
        "the agent does not read its Control stream: 32 MiB wait"));
    return *closing_;
  }
  queued_bytes_ += bytes;
  queue_.push_back({std::move(message), bytes});
  PumpLocked();
  return absl::OkStatus();
}

void ControlOutbox::Close(const absl::Status& status) {
  MutexLock lock(mu_);
  CloseLocked(status);
}

void ControlOutbox::WriteDone(bool ok) {
  MutexLock lock(mu_);
  writing_ = false;
  queued_bytes_ -= queue_.front().bytes;
  queue_.pop_front();
  if (!ok) CloseLocked(absl::UnavailableError("the link broke"));
  PumpLocked();
}

void ControlOutbox::CloseLocked(const absl::Status& status) {
  if (!closing_.has_value()) {
    closing_ = status;
    if (writing_ && sink_ != nullptr) sink_->Cancel();
  }
  // The message being written belongs to gRPC until WriteDone().
  while (queue_.size() > (writing_ ? 1u : 0u)) {
    queued_bytes_ -= queue_.back().bytes;
    queue_.pop_back();
  }
  PumpLocked();
}

void ControlOutbox::PumpLocked() {
  if (sink_ == nullptr || writing_) return;
  if (!queue_.empty()) {
    writing_ = true;
    sink_->BeginWrite(queue_.front().message);
  } else if (closing_.has_value()) {
    std::exchange(sink_, nullptr)->End(*closing_);
  }
}

}  // namespace berth::broker
