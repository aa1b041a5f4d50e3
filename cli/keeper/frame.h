#ifndef BERTH_CLI_KEEPER_FRAME_H_
#define BERTH_CLI_KEEPER_FRAME_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace berth::cli {

// The longest message between `berth` and its keeper: twice what the kernel
// allows as arguments and environment of a process by default.
inline constexpr size_t kMaxFrame = 4 << 20;

// `payload` with its length in front. It must not be over kMaxFrame.
std::string EncodeFrame(absl::string_view payload);

// Cuts a stream of bytes into messages. Not thread-safe.
class FrameDecoder {
 public:
  void Add(absl::string_view bytes) {
    buffer_.append(bytes.data(), bytes.size());
  }

  // The next message, if all of it has come. InvalidArgument: its length is
  // over kMaxFrame; nothing that follows can be read.
  absl::StatusOr<std::optional<std::string>> Next();

 private:
  std::string buffer_;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_KEEPER_FRAME_H_
