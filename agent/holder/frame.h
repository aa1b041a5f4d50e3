#ifndef BERTH_AGENT_HOLDER_FRAME_H_
#define BERTH_AGENT_HOLDER_FRAME_H_

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"

namespace berth::holder {

// What an agent and a holder say at the start, over pipes: 4 bytes of length,
// little endian, then the message. Longer than 1 MiB is not accepted.

// Reads one message. INVALID_ARGUMENT: it is none; DATA_LOSS: the other side
// closed the pipe before its end.
absl::Status ReadFrame(int fd, google::protobuf::MessageLite& message);

absl::Status WriteFrame(int fd, const google::protobuf::MessageLite& message);

}  // namespace berth::holder

#endif  // BERTH_AGENT_HOLDER_FRAME_H_
