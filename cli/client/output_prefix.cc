#include "cli/client/output_prefix.h"

namespace berth::cli {
namespace {

// Tags: field number and wire type (0 varint, 2 bytes with a length).
constexpr uint64_t kEventOutput = 15 << 3 | 2;
constexpr uint64_t kOutputOffset = 1 << 3 | 0;
constexpr uint64_t kOutputStream = 2 << 3 | 0;
constexpr uint64_t kOutputAt = 3 << 3 | 2;
constexpr uint64_t kOutputData = 15 << 3 | 2;

std::optional<uint64_t> ReadVarint(absl::string_view head, size_t& position) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && position < head.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(head[position++]);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<OutputPrefix> ParseOutputPrefix(absl::string_view head,
                                              size_t total) {
  OutputPrefix prefix;
  size_t& position = prefix.size;
  if (ReadVarint(head, position) != kEventOutput) return std::nullopt;
  const std::optional<uint64_t> output_size = ReadVarint(head, position);
  if (!output_size || *output_size != total - position) return std::nullopt;
  while (position < head.size()) {
    const std::optional<uint64_t> tag = ReadVarint(head, position);
    const std::optional<uint64_t> value = ReadVarint(head, position);
    if (!tag || !value) return std::nullopt;
    if (*tag == kOutputData) {
      if (*value != total - position) return std::nullopt;
      return prefix;
    }
    if (*tag == kOutputOffset) {
      prefix.offset = *value;
    } else if (*tag == kOutputStream) {
      prefix.stream = static_cast<int>(*value);
    } else if (*tag == kOutputAt && *value <= head.size() - position) {
      position += *value;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace berth::cli
