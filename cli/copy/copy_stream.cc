#include "cli/copy/copy_stream.h"

#include "cli/client/call.h"

namespace berth::cli {
namespace {

const grpc::internal::RpcMethod& CopyMethod() {
  static const grpc::internal::RpcMethod method(
      "/berth.v1.Files/Copy", grpc::internal::RpcMethod::BIDI_STREAMING);
  return method;
}

std::shared_ptr<grpc::ClientContext> MakeContext() {
  auto context = std::make_shared<grpc::ClientContext>();
  // The first message travels with the headers, which saves a write.
  context->set_initial_metadata_corked(true);
  return context;
}

}  // namespace

CopyStream::CopyStream(Connection& connection, SignalSource& signals)
    : connection_(connection),
      context_(MakeContext()),
      stream_(grpc::internal::ClientReaderWriterFactory<
              grpc::ByteBuffer, grpc::ByteBuffer>::Create(&connection.channel(),
                                                          CopyMethod(),
                                                          context_.get())),
      watch_(signals, [context = context_](bool left) {
        if (left) context->TryCancel();
      }) {}

bool CopyStream::Write(const grpc::ByteBuffer& frame, bool more) {
  grpc::WriteOptions options;
  if (more) options.set_buffer_hint();
  return stream_->Write(frame, options);
}

absl::Status CopyStream::Finish() {
  const grpc::Status status = stream_->Finish();
  from_broker_ = status.ok() || IsFromBroker(*context_);
  return ToStatus(connection_, *context_, status);
}

}  // namespace berth::cli
