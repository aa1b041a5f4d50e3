#include "cli/keeper/frame.h"

#include "absl/strings/str_cat.h"

namespace berth::cli {
namespace {

constexpr size_t kHeader = 4;

}  // namespace

std::string EncodeFrame(absl::string_view payload) {
  std::string frame;
  for (int shift = 0; shift < 32; shift += 8) {
    frame.push_back(static_cast<char>(payload.size() >> shift));
  }
  absl::StrAppend(&frame, payload);
  return frame;
}

absl::StatusOr<std::optional<std::string>> FrameDecoder::Next() {
  if (buffer_.size() < kHeader) return std::nullopt;
  size_t size = 0;
  for (size_t i = 0; i < kHeader; ++i) {
    size |= static_cast<size_t>(static_cast<unsigned char>(buffer_[i]))
            << (8 * i);
  }
  if (size > kMaxFrame) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a message of ", size, " bytes; at most ", kMaxFrame, " can be read"));
  }
  if (buffer_.size() < kHeader + size) return std::nullopt;
  std::string payload = buffer_.substr(kHeader, size);
  buffer_.erase(0, kHeader + size);
  return payload;
}

}  // namespace berth::cli
