#ifndef BERTH_CLI_CLIENT_EVENT_FRAME_H_
#define BERTH_CLI_CLIENT_EVENT_FRAME_H_

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// A message as it travels.
grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message);

// A frame from a session.
struct EventFrame {
  // Output: the data lies in `pieces` until the next is parsed.
  bool is_output = false;
  uint64_t offset = 0;
  v1::OutputStream stream = v1::OUTPUT_STREAM_UNSPECIFIED;
  std::vector<iovec> pieces;
  size_t size = 0;
  // Anything else.
  v1::CommandEvent event;
};

// Reads frames from messages; output is not copied. Used by one thread.
class EventFrameParser {
 public:
  // False: it can't be read. Takes what `message` holds.
  bool Parse(grpc::ByteBuffer& message, EventFrame& frame);

 private:
  bool FillOutput(const grpc::ByteBuffer& message, EventFrame& frame);
  bool ParseEvent(grpc::ByteBuffer& message, EventFrame& frame);

  std::vector<grpc::Slice> slices_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_CLIENT_EVENT_FRAME_H_
