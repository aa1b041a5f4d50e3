#ifndef BERTH_CLI_CLIENT_EVENT_STREAM_H_
#define BERTH_CLI_CLIENT_EVENT_STREAM_H_

#include <sys/uio.h>

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "cli/client/connection.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/support/byte_buffer.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// A message as it travels.
grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message);

// One Run or Receive stream of raw messages. One thread may read while another
// writes. Cancel() may be called from any.
class EventStream {
 public:
  // A frame from the session.
  struct Frame {
    // Output: the data lies in `pieces` until the next Read().
    bool is_output = false;
    uint64_t offset = 0;
    v1::OutputStream stream = v1::OUTPUT_STREAM_UNSPECIFIED;
    std::vector<iovec> pieces;
    size_t size = 0;
    // Anything else.
    v1::CommandEvent event;
  };

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

 private:
  static std::shared_ptr<grpc::ClientContext> MakeContext();
  bool ParseEvent(Frame& frame);
  bool FillOutput(Frame& frame);

  Connection& connection_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>>
      stream_;
  grpc::ByteBuffer message_;
  std::vector<grpc::Slice> slices_;
  bool malformed_ = false;
  bool from_broker_ = false;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_EVENT_STREAM_H_
