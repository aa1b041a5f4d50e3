#include "cli/client/event_frame.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/string_view.h"
#include "cli/client/output_prefix.h"
#include "grpcpp/impl/codegen/proto_utils.h"

namespace berth::cli {
namespace {

// The first bytes of a message, copied together: a prefix may be cut anywhere.
size_t CopyHead(const std::vector<grpc::Slice>& slices, char* head,
                size_t size) {
  size_t copied = 0;
  for (const grpc::Slice& slice : slices) {
    const size_t part = std::min(size - copied, slice.size());
    memcpy(head + copied, slice.begin(), part);
    copied += part;
    if (copied == size) break;
  }
  return copied;
}

}  // namespace

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

bool EventFrameParser::Parse(grpc::ByteBuffer& message, EventFrame& frame) {
  frame.is_output = false;
  frame.pieces.clear();
  frame.event.Clear();
  return FillOutput(message, frame) || ParseEvent(message, frame);
}

bool EventFrameParser::FillOutput(const grpc::ByteBuffer& message,
                                  EventFrame& frame) {
  slices_.clear();
  if (!message.Dump(&slices_).ok()) return false;
  char head[kMaxOutputPrefix];
  const size_t total = message.Length();
  const size_t head_size = CopyHead(slices_, head, sizeof(head));
  const std::optional<OutputPrefix> prefix =
      ParseOutputPrefix(absl::string_view(head, head_size), total);
  if (!prefix) return false;
  frame.is_output = true;
  frame.offset = prefix->offset;
  frame.stream = static_cast<v1::OutputStream>(prefix->stream);
  frame.size = total - prefix->size;
  size_t skip = prefix->size;
  for (const grpc::Slice& slice : slices_) {
    const size_t skipped = std::min(skip, slice.size());
    skip -= skipped;
    if (skipped == slice.size()) continue;
    frame.pieces.push_back({const_cast<uint8_t*>(slice.begin()) + skipped,
                            slice.size() - skipped});
  }
  return true;
}

bool EventFrameParser::ParseEvent(grpc::ByteBuffer& message,
                                  EventFrame& frame) {
  const grpc::Status status =
      grpc::SerializationTraits<v1::CommandEvent>::Deserialize(&message,
                                                               &frame.event);
  if (!status.ok()) return false;
  if (!frame.event.has_output()) return true;
  // Valid, but not laid out as our own agents do.
  v1::Output& output = *frame.event.mutable_output();
  frame.is_output = true;
  frame.offset = output.offset();
  frame.stream = output.stream();
  frame.size = output.data().size();
  frame.pieces.push_back({output.mutable_data()->data(), frame.size});
  return true;
}

}  // namespace berth::cli
