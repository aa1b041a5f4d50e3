#ifndef BERTH_AGENT_LINK_FRAME_WRITER_H_
#define BERTH_AGENT_LINK_FRAME_WRITER_H_

#include <grpcpp/support/byte_buffer.h>

namespace berth::agent {

// Takes the frames of one Call stream. One thread.
class FrameWriter {
 public:
  virtual ~FrameWriter() = default;

  // `more`: another frame follows at once, so this one may wait for it. False:
  // the stream is broken.
  virtual bool Write(const grpc::ByteBuffer& frame, bool more) = 0;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LINK_FRAME_WRITER_H_
