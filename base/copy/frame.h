#ifndef BERTH_BASE_COPY_FRAME_H_
#define BERTH_BASE_COPY_FRAME_H_

#include <grpcpp/grpcpp.h>
#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/berth/v1/files.pb.h"

namespace berth::copy {

// The bounds of files.proto.
inline constexpr size_t kMaxData = 256 << 10;
inline constexpr size_t kMaxParts = 1 << 20;
inline constexpr size_t kMaxContent = 64 << 10;
inline constexpr uint64_t kMinResumable = 1 << 20;

grpc::ByteBuffer ToFrame(const v1::CopyFrame& frame);

// A frame of file data and nothing else, built around the bytes: they are read
// from the file straight into the memory that gRPC sends.
class DataFrame {
 public:
  // With room for kMaxData bytes.
  DataFrame();
  DataFrame(const DataFrame&) = delete;
  DataFrame& operator=(const DataFrame&) = delete;
  ~DataFrame();

  absl::Span<char> buffer();
  // The frame with the first `length` bytes of the buffer; at least 1. Once.
  grpc::ByteBuffer Finish(size_t length);

 private:
  grpc_slice memory_;
};

// A frame as it came.
class ReceivedFrame {
 public:
  // False: it is not a CopyFrame, or is over the bounds.
  bool Parse(const grpc::ByteBuffer& buffer);

  // Without `data`, which lies in data() until the next Parse().
  const v1::CopyFrame& message() const { return message_; }
  absl::Span<const iovec> data() const { return data_; }
  size_t data_size() const { return data_size_; }

 private:
  bool ParseData(size_t prefix, size_t size);

  std::vector<grpc::Slice> slices_;
  v1::CopyFrame message_;
  std::vector<iovec> data_;
  size_t data_size_ = 0;
};

// If a frame of `total` bytes that begins with `head` is file data and nothing
// else, where the data begins.
std::optional<size_t> DataPrefix(absl::string_view head, size_t total);
// Bytes of a head that tell.
inline constexpr size_t kMaxPrefix = 6;

}  // namespace berth::copy

#endif  // BERTH_BASE_COPY_FRAME_H_
