#include "base/copy/frame.h"

#include <grpc/slice.h>

#include <algorithm>
#include <cstring>

#include "google/protobuf/io/coded_stream.h"

namespace berth::copy {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr uint8_t kDataTag = v1::CopyFrame::kDataFieldNumber << 3 | 2;

}  // namespace

grpc::ByteBuffer ToFrame(const v1::CopyFrame& frame) {
  const size_t size = frame.ByteSizeLong();
  grpc_slice memory = grpc_slice_malloc(size);
  frame.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(memory));
  const grpc::Slice slice(memory, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

DataFrame::DataFrame() : memory_(grpc_slice_malloc(kMaxPrefix + kMaxData)) {}

DataFrame::~DataFrame() { grpc_slice_unref(memory_); }

absl::Span<char> DataFrame::buffer() {
  return {reinterpret_cast<char*>(GRPC_SLICE_START_PTR(memory_)) + kMaxPrefix,
          kMaxData};
}

grpc::ByteBuffer DataFrame::Finish(size_t length) {
  uint8_t prefix[kMaxPrefix] = {kDataTag};
  const size_t size =
      CodedOutputStream::WriteVarint32ToArray(length, prefix + 1) - prefix;
  const size_t begin = kMaxPrefix - size;
  std::memcpy(GRPC_SLICE_START_PTR(memory_) + begin, prefix, size);
  const grpc::Slice slice(grpc_slice_sub(memory_, begin, kMaxPrefix + length),
                          grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

std::optional<size_t> DataPrefix(absl::string_view head, size_t total) {
  if (head.empty() || static_cast<uint8_t>(head[0]) != kDataTag) {
    return std::nullopt;
  }
  head = head.substr(0, kMaxPrefix);
  CodedInputStream input(reinterpret_cast<const uint8_t*>(head.data()) + 1,
                         head.size() - 1);
  uint32_t length = 0;
  if (!input.ReadVarint32(&length)) return std::nullopt;
  const size_t prefix = 1 + input.CurrentPosition();
  if (prefix + length != total) return std::nullopt;
  return prefix;
}

bool ReceivedFrame::Parse(const grpc::ByteBuffer& buffer) {
  slices_.clear();
  data_.clear();
  data_size_ = 0;
  if (!buffer.Dump(&slices_).ok()) return false;
  char head[kMaxPrefix];
  size_t size = 0;
  for (const grpc::Slice& slice : slices_) {
    const size_t part = std::min(sizeof(head) - size, slice.size());
    std::memcpy(head + size, slice.begin(), part);
    size += part;
    if (size == sizeof(head)) break;
  }
  const auto prefix = DataPrefix({head, size}, buffer.Length());
  if (prefix.has_value()) return ParseData(*prefix, buffer.Length());
  if (buffer.Length() > kMaxParts + kMaxData) return false;
  grpc::Slice all;
  if (!buffer.TrySingleSlice(&all).ok() && !buffer.DumpToSingleSlice(&all).ok())
    return false;
  if (!message_.ParseFromArray(all.begin(), all.size())) return false;
  data_size_ = message_.data().size();
  if (data_size_ > 0) {
    data_.push_back({message_.mutable_data()->data(), data_size_});
  }
  return data_size_ <= kMaxData;
}

bool ReceivedFrame::ParseData(size_t prefix, size_t size) {
  message_.Clear();
  data_size_ = size - prefix;
  if (data_size_ > kMaxData) return false;
  for (const grpc::Slice& slice : slices_) {
    const size_t skipped = std::min(prefix, slice.size());
    prefix -= skipped;
    if (skipped == slice.size()) continue;
    data_.push_back({const_cast<uint8_t*>(slice.begin()) + skipped,
                     slice.size() - skipped});
  }
  return true;
}

}  // namespace berth::copy
