#include "agent/log/record.h"

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/log/crc32c.h"

namespace berth::agent {
namespace {

constexpr uint32_t kMagic = 0x31726542;  // "Ber1"
constexpr size_t kLengthAt = 4;
constexpr size_t kOffsetAt = 8;
constexpr size_t kStreamAt = 16;
constexpr size_t kCrcAt = 20;
constexpr size_t kTimeAt = 24;
constexpr size_t kOffsetDigits = 16;

template <typename T>
void Put(char* out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
}

template <typename T>
T Get(const char* in) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(in[i])) << (8 * i);
  }
  return static_cast<T>(value);
}

uint32_t HeaderCrc(const char* header, const SegmentId& segment) {
  char input[kHeaderBytes + 16];
  std::memcpy(input, header, kHeaderBytes);
  Put<uint32_t>(input + kCrcAt, 0);
  Put<uint64_t>(input + kHeaderBytes, segment.sequence);
  Put<uint64_t>(input + kHeaderBytes + 8, segment.offset);
  return Crc32c(absl::string_view(input, sizeof(input)));
}

}  // namespace

std::string SegmentName(const SegmentId& id) {
  return absl::StrCat("c", id.sequence, ".",
                      absl::Hex(id.offset, absl::kZeroPad16));
}

std::optional<SegmentId> ParseSegmentName(absl::string_view name) {
  SegmentId id;
  const size_t dot = name.find('.');
  if (dot == absl::string_view::npos || name[0] != 'c' ||
      name.size() - dot - 1 != kOffsetDigits ||
      !absl::SimpleAtoi(name.substr(1, dot - 1), &id.sequence) ||
      !absl::SimpleHexAtoi(name.substr(dot + 1), &id.offset) ||
      SegmentName(id) != name) {
    return std::nullopt;
  }
  return id;
}

void EncodeHeader(const RecordHeader& header, const SegmentId& segment,
                  char* out) {
  std::memset(out, 0, kHeaderBytes);
  Put<uint32_t>(out, kMagic);
  Put<uint32_t>(out + kLengthAt, header.length);
  Put<uint64_t>(out + kOffsetAt, header.offset);
  out[kStreamAt] = static_cast<char>(header.stream);
  Put<int64_t>(out + kTimeAt, header.time_ns);
  Put<uint32_t>(out + kCrcAt, HeaderCrc(out, segment));
}

std::optional<RecordHeader> DecodeHeader(const char* in,
                                         const SegmentId& segment) {
  RecordHeader header;
  header.length = Get<uint32_t>(in + kLengthAt);
  header.offset = Get<uint64_t>(in + kOffsetAt);
  header.time_ns = Get<int64_t>(in + kTimeAt);
  const uint8_t stream = static_cast<uint8_t>(in[kStreamAt]);
  if (Get<uint32_t>(in) != kMagic || header.length == 0 ||
      header.length > kMaxRecordBytes || (stream != 1 && stream != 2) ||
      Get<uint32_t>(in + kCrcAt) != HeaderCrc(in, segment)) {
    return std::nullopt;
  }
  header.stream = static_cast<Stream>(stream);
  return header;
}

}  // namespace berth::agent
