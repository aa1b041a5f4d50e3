#include "broker/limits/frame_guard.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace berth::broker {
namespace {

// RFC 9113, section 6.
constexpr uint8_t kData = 0;
constexpr uint8_t kHeaders = 1;
constexpr uint8_t kRstStream = 3;
constexpr uint8_t kWindowUpdate = 8;
constexpr uint8_t kContinuation = 9;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr uint8_t kPadded = 8;

// gRPC 1.51 aborts when it hands on this field, which only its own load
// balancers ever sent. As it is, and as HPACK compresses it: 104 bits. A block
// that has these bytes elsewhere is refused as well; nobody has use for them.
constexpr absl::string_view kDeadly = "grpclb_client_stats";
constexpr absl::string_view kDeadlyCompressed(
    "\x9a\xca\xc9\x44\x71\x12\x83\x16\xa4\xc4\x84\x8d\x28", 13);

bool IsHeaderBlock(uint8_t type) {
  return type == kHeaders || type == kContinuation;
}

}  // namespace

absl::StatusOr<FrameGuard::Counts> FrameGuard::Read(absl::string_view bytes) {
  Counts counts;
  const size_t preface = std::min(preface_left_, bytes.size());
  preface_left_ -= preface;
  bytes.remove_prefix(preface);
  while (!bytes.empty()) {
    if (header_size_ < kHeader) {
      const size_t size = std::min(kHeader - header_size_, bytes.size());
      std::copy_n(bytes.begin(), size, header_.begin() + header_size_);
      header_size_ += size;
      bytes.remove_prefix(size);
      if (header_size_ < kHeader) break;
      BERTH_RETURN_IF_ERROR(BeginFrame(counts));
    }
    const size_t size = std::min(payload_left_, bytes.size());
    payload_left_ -= size;
    BERTH_RETURN_IF_ERROR(ReadPayload(bytes.substr(0, size)));
    bytes.remove_prefix(size);
    if (payload_left_ == 0) header_size_ = 0;
  }
  return counts;
}

absl::Status FrameGuard::BeginFrame(Counts& counts) {
  payload_left_ = static_cast<size_t>(header_[0]) << 16 |
                  static_cast<size_t>(header_[1]) << 8 | header_[2];
  const uint8_t type = header_[3];
  const uint8_t flags = header_[4];
  if (type == kHeaders) {
    ++counts.calls;
  } else if (type == kRstStream) {
    counts.calls += kReset;
  } else if (type != kWindowUpdate &&
             (type != kData ||
              (payload_left_ == 0 && (flags & kEndStream) == 0))) {
    ++counts.others;
  }
  if (type == kHeaders) block_.clear();
  // gRPC does not know of padding, and takes it for fields.
  if ((type == kHeaders && (flags & kPadded) != 0) ||
      (type == kContinuation && (flags & ~kEndHeaders) != 0)) {
    return absl::InvalidArgumentError(
        "a header block with flags that nobody uses");
  }
  return absl::OkStatus();
}

absl::Status FrameGuard::ReadPayload(absl::string_view bytes) {
  if (!IsHeaderBlock(header_[3])) return absl::OkStatus();
  if (block_.size() + bytes.size() > kMaxHeaderBlock) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a header block of more than ", kMaxHeaderBlock, " bytes"));
  }
  // Looked at piece by piece: where a connection ends in the middle of a block,
  // gRPC hands on what there is of it.
  const size_t begin = block_.size() - std::min(block_.size(), kDeadly.size());
  absl::StrAppend(&block_, bytes);
  const absl::string_view fresh = absl::string_view(block_).substr(begin);
  if (absl::StrContains(fresh, kDeadly) ||
      absl::StrContains(fresh, kDeadlyCompressed)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a header block with the field ", kDeadly));
  }
  // Most connections are silent most of the time.
  const bool is_complete = payload_left_ == 0 && (header_[4] & kEndHeaders);
  if (is_complete) std::string().swap(block_);
  return absl::OkStatus();
}

}  // namespace berth::broker
