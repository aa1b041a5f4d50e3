#include "agent/link/frames.h"

#include <grpc/slice.h>

#include <cstring>
#include <string>

#include "absl/time/time.h"
#include "base/proto_time.h"
#include "google/protobuf/io/coded_stream.h"

namespace berth::agent {
namespace {

using google::protobuf::io::CodedOutputStream;

// Before the data: two tags, two lengths, offset, stream and time. 45 bytes at
// most.
constexpr size_t kPrefixBytes = 64;

// Tags of length-delimited fields (proto/berth/v1/sessions.proto).
constexpr uint32_t kOutputTag = v1::CommandEvent::kOutputFieldNumber << 3 | 2;
constexpr uint32_t kDataTag = v1::Output::kDataFieldNumber << 3 | 2;

}  // namespace

grpc::ByteBuffer ToFrame(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  grpc_slice memory = grpc_slice_malloc(size);
  message.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(memory));
  const grpc::Slice slice(memory, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

bool ParseFrame(const grpc::ByteBuffer& frame,
                google::protobuf::MessageLite& message) {
  grpc::Slice slice;
  if (!frame.TrySingleSlice(&slice).ok() &&
      !frame.DumpToSingleSlice(&slice).ok()) {
    return false;
  }
  return message.ParseFromArray(slice.begin(), slice.size());
}

OutputFrame::OutputFrame(size_t capacity)
    : memory_(grpc_slice_malloc(kPrefixBytes + capacity)) {}

OutputFrame::~OutputFrame() { grpc_slice_unref(memory_); }

absl::Span<char> OutputFrame::buffer() {
  return {reinterpret_cast<char*>(GRPC_SLICE_START_PTR(memory_)) + kPrefixBytes,
          GRPC_SLICE_LENGTH(memory_) - kPrefixBytes};
}

grpc::ByteBuffer OutputFrame::Finish(uint64_t offset, Stream stream,
                                     int64_t time_ns, size_t length) {
  v1::Output output;
  output.set_offset(offset);
  output.set_stream(static_cast<v1::OutputStream>(stream));
  *output.mutable_at() = ToProto(absl::FromUnixNanos(time_ns));
  const std::string fields = output.SerializeAsString();
  uint8_t prefix[kPrefixBytes];
  uint8_t* end = prefix;
  const uint32_t body = fields.size() +
                        CodedOutputStream::VarintSize32(kDataTag) +
                        CodedOutputStream::VarintSize32(length) + length;
  end = CodedOutputStream::WriteVarint32ToArray(kOutputTag, end);
  end = CodedOutputStream::WriteVarint32ToArray(body, end);
  std::memcpy(end, fields.data(), fields.size());
  end += fields.size();
  end = CodedOutputStream::WriteVarint32ToArray(kDataTag, end);
  end = CodedOutputStream::WriteVarint32ToArray(length, end);
  const size_t prefix_size = end - prefix;
  const size_t begin = kPrefixBytes - prefix_size;
  std::memcpy(GRPC_SLICE_START_PTR(memory_) + begin, prefix, prefix_size);
  const grpc::Slice slice(grpc_slice_sub(memory_, begin, kPrefixBytes + length),
                          grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace berth::agent
