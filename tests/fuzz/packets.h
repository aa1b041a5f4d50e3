#ifndef BERTH_TESTS_FUZZ_PACKETS_H_
#define BERTH_TESTS_FUZZ_PACKETS_H_

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace berth::fuzz {

struct Packet {
  uint8_t kind = 0;  // What the fuzzer makes of it.
  absl::string_view bytes;
};

// Cuts an input into packets: a byte of kind, two of length (little endian),
// and the bytes, of which the last packet may have less.
class Packets {
 public:
  Packets(const uint8_t* data, size_t size)
      : left_(reinterpret_cast<const char*>(data), size) {}

  std::optional<Packet> Next() {
    if (left_.size() < 3) return std::nullopt;
    const size_t length = static_cast<uint8_t>(left_[1]) |
                          size_t{static_cast<uint8_t>(left_[2])} << 8;
    Packet packet{static_cast<uint8_t>(left_[0]), left_.substr(3, length)};
    left_.remove_prefix(3 + packet.bytes.size());
    return packet;
  }

 private:
  absl::string_view left_;
};

inline void Expect(bool good) {
  if (!good) abort();
}

// A new folder, removed with all that is in it.
class Scratch {
 public:
  Scratch() {
    // In memory: most inputs make files.
    std::string pattern = access("/dev/shm", W_OK) == 0
                              ? "/dev/shm/berth-fuzz-XXXXXX"
                              : "/tmp/berth-fuzz-XXXXXX";
    Expect(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace berth::fuzz

#endif  // BERTH_TESTS_FUZZ_PACKETS_H_
