#include "cli/terminal/typed_buffer.h"

#include <algorithm>

namespace berth::cli {

size_t TypedBuffer::Add(absl::string_view typed) {
  const size_t added = std::min(typed.size(), room());
  bytes_.append(typed.data(), added);
  return added;
}

TypedBuffer::Frame TypedBuffer::Next() {
  Frame frame;
  const size_t begin = sent_ - base_;
  if (begin >= kMaxInFlight || frames_.size() >= kMaxFrames) return frame;
  frame.offset = sent_;
  frame.data = bytes_.substr(begin, kMaxInFlight - begin);
  sent_ += frame.data.size();
  if (!frame.data.empty()) frames_.push_back(sent_);
  return frame;
}

void TypedBuffer::Taken(uint64_t offset) {
  // A peer can't have what was never typed.
  offset = std::min<uint64_t>(offset, base_ + bytes_.size());
  if (offset > base_) {
    bytes_.erase(0, offset - base_);
    base_ = offset;
    sent_ = std::max(sent_, base_);
  }
  while (!frames_.empty() && frames_.front() <= base_) frames_.pop_front();
}

void TypedBuffer::Restart(uint64_t offset) {
  frames_.clear();
  Taken(offset);
  sent_ = base_;
}

}  // namespace berth::cli
