#include "agent/link/call_stream.h"

#include <grpcpp/support/channel_arguments.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/monotonic.h"

namespace berth::agent {
namespace {

// The broker ends the stream once it has the call's end.
constexpr absl::Duration kFinishLimit = absl::Seconds(10);

}  // namespace

CallStream::CallStream(std::shared_ptr<grpc::ChannelInterface> channel,
                       uint64_t call_id)
    : channel_(std::move(channel)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  context_.AddMetadata("berth-call-id", absl::StrCat(call_id));
}

void CallStream::Finish() {
  if (stream_ == nullptr) return;
  const absl::Time deadline = MonotonicNow() + kFinishLimit;
  {
    MutexLock lock(mu_);
    while (reading_ && MonotonicNow() < deadline) {
      done_.WaitFor(mu_, deadline - MonotonicNow());
    }
  }
  context_.TryCancel();  // Harmless if it is over.
  {
    MutexLock lock(mu_);
    while (reading_) done_.Wait(mu_);
  }
  stream_->Finish();
  stream_.reset();
}

absl::Status CallStream::Open(WorkerPool& workers,
                              std::function<absl::Status()> first,
                              FrameHandler frame) {
  static const grpc::internal::RpcMethod method(
      "/berth.link.v1.Link/Call", grpc::internal::RpcMethod::BIDI_STREAMING);
  stream_.reset(grpc::internal::ClientReaderWriterFactory<
                grpc::ByteBuffer, grpc::ByteBuffer>::Create(channel_.get(),
                                                            method, &context_));
  {
    MutexLock lock(mu_);
    reading_ = true;
  }
  const bool runs =
      workers.Run([this, first = std::move(first), frame = std::move(frame)] {
        ReadAll(first, frame);
      });
  if (runs) return absl::OkStatus();
  MutexLock lock(mu_);
  reading_ = false;
  return absl::ResourceExhaustedError(
      "this computer has no thread left for another call");
}

void CallStream::ReadAll(const std::function<absl::Status()>& first,
                         const FrameHandler& frame) {
  absl::Status status = first();
  grpc::ByteBuffer message;
  while (status.ok() && stream_->Read(&message)) {
    if (message.Length() == 0) {
      {
        MutexLock lock(mu_);
        state_.half_closed = true;
      }
      Wake();
      continue;
    }
    status = frame(message);
  }
  const bool broken = status.ok();
  SetError(broken ? absl::CancelledError("the client went away") : status);
  // What ends the call by itself may still be read to its end, so that the
  // stream can finish.
  while (!broken && stream_->Read(&message)) {
  }
  MutexLock lock(mu_);
  reading_ = false;
  done_.NotifyAll();
}

void CallStream::SetError(absl::Status error) {
  {
    MutexLock lock(mu_);
    if (state_.error.ok()) state_.error = std::move(error);
  }
  Wake();
}

bool CallStream::Write(const grpc::ByteBuffer& frame, bool more) {
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  if (!stream_->Write(frame, options)) return false;
  ++frames_written_;
  return true;
}

void CallStream::WritesDone() {
  if (stream_ != nullptr) stream_->WritesDone();
}

void CallStream::Cancel() { context_.TryCancel(); }

CallStream::State CallStream::state() const {
  MutexLock lock(mu_);
  return state_;
}

void CallStream::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof(one));
}

void CallStream::ClearWake() {
  uint64_t ignored;
  [[maybe_unused]] const ssize_t n =
      read(wake_.get(), &ignored, sizeof(ignored));
}

}  // namespace berth::agent
