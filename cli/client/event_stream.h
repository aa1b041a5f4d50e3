#ifndef BERTH_CLI_CLIENT_EVENT_STREAM_H_
#define BERTH_CLI_CLIENT_EVENT_STREAM_H_

#include <memory>

#include "absl/status/status.h"
#include "cli/client/connection.h"
#include "cli/client/event_frame.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/byte_buffer.h"

namespace berth::cli {

// One Run or Receive stream of raw messages. One thread may read while another
// writes. Cancel() may be called from any.
class EventStream {
 public:
  using Frame = EventFrame;

  EventStream(Connection& connection, const grpc::internal::RpcMethod& method);

  // False: the stream has ended.
  bool Read(Frame& frame);
  // False: the stream is broken; Finish() will say why. Both block while the
  // peer takes nothing.
  bool Write(const grpc::ByteBuffer& message);
  // Also half-closes the stream.
  bool WriteLast(const grpc::ByteBuffer& message);
  bool WritesDone() { return stream_->WritesDone(); }

  void Cancel() { context_->TryCancel(); }
  // For Cancel() from what may live longer.
  std::shared_ptr<grpc::ClientContext> context() { return context_; }

  // How the stream ended; call after Read() said false. DATA_LOSS: the peer
  // sent a frame that can't be read.
  absl::Status Finish();

  // Whether Finish() told what the broker said, not that it is out of reach.
  bool from_broker() const { return from_broker_; }
  // Whether the broker had passed the stream on to the session's computer.
  bool forwarded() const { return forwarded_; }

 private:
  static std::shared_ptr<grpc::ClientContext> MakeContext();

  Connection& connection_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
      stream_;
  grpc::ByteBuffer message_;
  EventFrameParser parser_;
  bool malformed_ = false;
  bool from_broker_ = false;
  bool forwarded_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_EVENT_STREAM_H_
