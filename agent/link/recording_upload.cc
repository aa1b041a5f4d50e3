#include "agent/link/recording_upload.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/escape.h"
#include "base/grpc_status.h"
#include "spdlog/spdlog.h"

namespace berth::agent {
namespace {

constexpr auto kCallLimit = std::chrono::seconds(60);
constexpr absl::Duration kFirstPause = absl::Seconds(1);
constexpr absl::Duration kLongestPause = absl::Minutes(1);
// Of one recording that the broker does not take, while others go on.
constexpr absl::Duration kPutOff = absl::Minutes(5);

// Whether another recording would fare no better.
bool IsAboutBroker(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status) ||
         absl::IsDeadlineExceeded(status) || absl::IsUnimplemented(status) ||
         absl::IsCancelled(status);
}

}  // namespace

RecordingUpload::~RecordingUpload() { Stop(); }

void RecordingUpload::Start() {
  thread_ = std::thread([this] { Run(); });
}

void RecordingUpload::Stop() {
  if (!thread_.joinable()) return;
  spool_.Stop();
  {
    MutexLock lock(mu_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.NotifyAll();
  }
  thread_.join();
}

void RecordingUpload::SetChannel(std::shared_ptr<grpc::Channel> channel) {
  MutexLock lock(mu_);
  channel_ = std::move(channel);
  changed_.NotifyAll();
}

std::shared_ptr<grpc::Channel> RecordingUpload::WaitChannel() {
  MutexLock lock(mu_);
  while (!stopping_ && channel_ == nullptr) changed_.Wait(mu_);
  return stopping_ ? nullptr : channel_;
}

void RecordingUpload::Run() {
  absl::Duration pause = kFirstPause;
  while (const std::optional<Spool::Sealed> sealed = spool_.WaitNext()) {
    const absl::Status status = Upload(*sealed);
    if (status.ok()) {
      pause = kFirstPause;
      continue;
    }
    SPDLOG_WARN("segment {} of the recording of session {} is not stored: {}",
                sealed->index, sealed->instance_id,
                EscapeForTerminal(status.ToString()));
    if (!IsAboutBroker(status)) {
      spool_.PutOff(sealed->instance_id, kPutOff);
    } else if (!spool_.Sleep(pause)) {
      return;
    } else {
      pause = std::min(2 * pause, kLongestPause);
    }
  }
}

absl::Status RecordingUpload::Upload(const Spool::Sealed& sealed) {
  const std::shared_ptr<grpc::Channel> channel = WaitChannel();
  if (channel == nullptr) return absl::CancelledError("the agent ends");
  absl::StatusOr<std::string> bytes = spool_.Read(sealed);
  if (!bytes.ok()) return bytes.status();
  link::v1::StoreSegmentRequest request;
  request.set_instance_id(sealed.instance_id);
  request.set_index(sealed.index);
  request.set_segment(*std::move(bytes));
  request.set_is_oldest(sealed.is_oldest);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallLimit);
  {
    MutexLock lock(mu_);
    if (stopping_) return absl::CancelledError("the agent ends");
    context_ = &context;
  }
  link::v1::StoreSegmentResponse response;
  const absl::Status status =
      FromGrpcStatus(link::v1::Recorder::NewStub(channel)->StoreSegment(
          &context, request, &response));
  {
    MutexLock lock(mu_);
    context_ = nullptr;
  }
  if (!status.ok()) return status;
  spool_.Stored(sealed.instance_id, response.next_index());
  if (response.next_index() > sealed.index) return absl::OkStatus();
  return absl::InternalError("the broker took the segment and has it not");
}

}  // namespace berth::agent
