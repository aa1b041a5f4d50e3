#include "tests/broker/raw_call.h"

#include <vector>

#include "tests/broker/fleet_fixture.h"

namespace berth::testing {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToBytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

}  // namespace

RawCall::RawCall(std::shared_ptr<grpc::Channel> channel,
                 const std::string& method, const std::string& message)
    : stub_(std::move(channel)) {
  SetDeadline(&context_);
  stream_ = stub_.PrepareCall(&context_, method, &queue_);
  stream_->StartCall(this);
  Wait();
  Write(message);
}

RawCall::~RawCall() {
  context_.TryCancel();
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool RawCall::Wait() {
  void* tag = nullptr;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

std::optional<std::string> RawCall::Read() {
  grpc::ByteBuffer buffer;
  stream_->Read(&buffer, this);
  if (!Wait()) return std::nullopt;
  return ToBytes(buffer);
}

void RawCall::Write(const std::string& message) {
  stream_->Write(ToBuffer(message), this);
  Wait();
}

void RawCall::HalfClose() {
  stream_->WritesDone(this);
  Wait();
}

grpc::Status RawCall::Finish(bool cancel) {
  if (cancel) context_.TryCancel();
  grpc::Status status;
  stream_->Finish(&status, this);
  Wait();
  return status;
}

}  // namespace berth::testing
