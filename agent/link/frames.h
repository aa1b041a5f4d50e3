#ifndef BERTH_AGENT_LINK_FRAMES_H_
#define BERTH_AGENT_LINK_FRAMES_H_

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "agent/log/record.h"
#include "google/protobuf/message_lite.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::agent {

// At most this much output goes into one frame.
inline constexpr size_t kMaxOutputBytes = 256 << 10;

// Between messages and the frames of a Call stream. Parsing is false if the
// frame is not such a message.
grpc::ByteBuffer ToFrame(const google::protobuf::MessageLite& message);
bool ParseFrame(const grpc::ByteBuffer& frame,
                google::protobuf::MessageLite& message);

// A frame with output, built around the bytes: they are read from the log
// straight into the memory that gRPC sends, and nothing copies them again.
class OutputFrame {
 public:
  // With room for `capacity` bytes, at most kMaxOutputBytes.
  explicit OutputFrame(size_t capacity);
  OutputFrame(const OutputFrame&) = delete;
  OutputFrame& operator=(const OutputFrame&) = delete;
  ~OutputFrame();

  absl::Span<char> buffer();

  // The CommandEvent with the first `length` bytes of the buffer.
  grpc::ByteBuffer Finish(uint64_t offset, Stream stream, int64_t time_ns,
                          size_t length);

 private:
  grpc_slice memory_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_FRAMES_H_
