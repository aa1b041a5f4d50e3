#ifndef BERTH_BROKER_LIMITS_FRAME_GUARD_H_
#define BERTH_BROKER_LIMITS_FRAME_GUARD_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::broker {

// FrameGuard reads along what one peer says in HTTP/2, before the library
// does. gRPC 1.51 keeps a header block until it is complete, however large,
// ends the process because of one field, and does whatever frames ask for as
// often as they ask. Not thread-safe.
class FrameGuard {
 public:
  // What costs this side more than the peer.
  struct Counts {
    // Header blocks, and streams that are reset, which count for more: whoever
    // begins calls to give them up at once never has many open.
    int calls = 0;
    int others = 0;  // What moves no data: pings, settings, empty frames...
  };

  static constexpr int kReset = 3;

  // Twice what metadata may take, so that who says a little too much is told
  // so by an answer.
  static constexpr size_t kMaxHeaderBlock = 32 << 10;

  // The next bytes, which end and begin anywhere. InvalidArgument or
  // ResourceExhausted: nobody should read them, nor any that follow.
  absl::StatusOr<Counts> Read(absl::string_view bytes);

 private:
  static constexpr size_t kPreface = 24;
  static constexpr size_t kHeader = 9;

  absl::Status BeginFrame(Counts& counts);
  absl::Status ReadPayload(absl::string_view bytes);

  size_t preface_left_ = kPreface;
  std::array<uint8_t, kHeader> header_ = {};
  size_t header_size_ = 0;  // How much of the frame's header has come.
  size_t payload_left_ = 0;
  std::string block_;  // The header block that is being read.
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_LIMITS_FRAME_GUARD_H_
