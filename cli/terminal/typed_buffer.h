#ifndef BERTH_CLI_TERMINAL_TYPED_BUFFER_H_
#define BERTH_CLI_TERMINAL_TYPED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"

namespace berth::cli {

// What was typed in a visit and has not surely arrived, so that it is sent
// again over the next stream if this one breaks. Thread-compatible.
class TypedBuffer {
 public:
  // Typed bytes that are kept.
  static constexpr size_t kCapacity = 64 << 10;
  // More than one read from a terminal gives.
  static constexpr size_t kMaxRead = 8 << 10;
  // On their way at a time. So few that writing them never blocks, not even
  // to a network that takes nothing any more.
  static constexpr size_t kMaxInFlight = 16 << 10;
  static constexpr size_t kMaxFrames = 64;

  // Adds what there is room for, and returns how much that was.
  size_t Add(absl::string_view typed);
  size_t room() const { return kCapacity - bytes_.size(); }
  // For all that one read may give.
  bool has_room() const { return room() >= kMaxRead; }

  struct Frame {
    uint64_t offset = 0;
    std::string data;  // Empty: there is nothing to send now.
  };
  // The next frame to send, which is on its way from now on.
  Frame Next();

  // Everything before `offset` has arrived.
  void Taken(uint64_t offset);

  // A new stream, whose other end has everything before `offset`. What was on
  // its way may be lost, and is sent again.
  void Restart(uint64_t offset);

  // Something is on its way.
  bool in_flight() const { return sent_ > base_; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string bytes_;            // From base_ on.
  uint64_t base_ = 0;            // What came before has arrived.
  uint64_t sent_ = 0;            // What comes before is on its way.
  std::deque<uint64_t> frames_;  // Where each frame on its way ends.
};

}  // namespace berth::cli

#endif  // BERTH_CLI_TERMINAL_TYPED_BUFFER_H_
