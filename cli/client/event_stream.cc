#include "cli/client/event_stream.h"

#include "cli/client/call.h"

namespace berth::cli {

std::shared_ptr<grpc::ClientContext> EventStream::MakeContext() {
  auto context = std::make_shared<grpc::ClientContext>();
  // The first message travels with the headers, which saves a write.
  context->set_initial_metadata_corked(true);
  return context;
}

EventStream::EventStream(Connection& connection,
                         const grpc::internal::RpcMethod& method)
    : connection_(connection),
      context_(MakeContext()),
      stream_(grpc::internal::ClientReaderWriterFactory<
              grpc::ByteBuffer, grpc::ByteBuffer>::Create(&connection.channel(),
                                                          method,
                                                          context_.get())) {}

bool EventStream::Read(Frame& frame) {
  if (malformed_ || !stream_->Read(&message_)) return false;
  if (parser_.Parse(message_, frame)) return true;
  malformed_ = true;
  Cancel();
  return false;
}

bool EventStream::Write(const grpc::ByteBuffer& message) {
  return stream_->Write(message);
}

bool EventStream::WriteLast(const grpc::ByteBuffer& message) {
  return stream_->Write(message, grpc::WriteOptions().set_last_message());
}

absl::Status EventStream::Finish() {
  const grpc::Status status = stream_->Finish();
  if (malformed_) {
    return absl::DataLossError(
        "the session sent a frame that this version can't read; is its agent "
        "newer?");
  }
  from_broker_ = status.ok() || IsFromBroker(*context_);
  forwarded_ = WasForwarded(*context_);
  return ToStatus(connection_, *context_, status);
}

}  // namespace berth::cli
