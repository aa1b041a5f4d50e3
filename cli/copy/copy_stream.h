#ifndef BERTH_CLI_COPY_COPY_STREAM_H_
#define BERTH_CLI_COPY_COPY_STREAM_H_

#include <memory>

#include "absl/status/status.h"
#include "cli/client/connection.h"
#include "cli/invocation/signals.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/byte_buffer.h"

namespace berth::cli {

// One Copy stream of raw frames. One thread may read while another writes. It
// is cancelled when the invocation is left.
class CopyStream {
 public:
  CopyStream(Connection& connection, SignalSource& signals);

  // False: the stream has ended.
  bool Read(grpc::ByteBuffer& frame) { return stream_->Read(&frame); }
  // `more`: another one follows at once. False: the stream is broken.
  bool Write(const grpc::ByteBuffer& frame, bool more);
  void WritesDone() { stream_->WritesDone(); }

  void Cancel() { context_->TryCancel(); }

  // How the stream ended; call after Read() said false. Once.
  absl::Status Finish();
  // Whether that is what the broker said, not that it is out of reach.
  bool from_broker() const { return from_broker_; }

 private:
  Connection& connection_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
      stream_;
  SignalSource::Watch watch_;
  bool from_broker_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_COPY_COPY_STREAM_H_
