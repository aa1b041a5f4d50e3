#include "cli/run/stdin_buffer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {
namespace {

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) {
    out.push_back(static_cast<char>(value | 0x80));
  }
  out.push_back(static_cast<char>(value));
}

grpc::ByteBuffer EofFrame(uint64_t offset) {
  v1::RunRequest request;
  request.mutable_stdin()->set_offset(offset);
  request.mutable_stdin()->set_eof(true);
  const grpc::Slice slice(request.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

grpc::ByteBuffer StdinFrame(uint64_t offset, const grpc::Slice& data) {
  // StdinChunk: offset = 1 (varint), data = 2 (bytes, last).
  std::string chunk = "\x08";
  AppendVarint(offset, chunk);
  chunk.push_back('\x12');
  AppendVarint(data.size(), chunk);
  // RunRequest: stdin = 3 (message).
  std::string head = "\x1a";
  AppendVarint(chunk.size() + data.size(), head);
  const grpc::Slice slices[] = {grpc::Slice(head + chunk), data};
  return grpc::ByteBuffer(slices, 2);
}

void StdinBuffer::Restart() {
  sent_ = begin_;
  limit_ = 0;
  eof_sent_ = false;
}

void StdinBuffer::Grant(uint64_t limit) {
  limit_ = std::max(limit_, limit);
  if (!window_) window_ = limit;
  if (limit > *window_) Forget(limit - *window_);
}

size_t StdinBuffer::room() const {
  const uint64_t end = std::min(limit_, begin_ + kMaxKept);
  if (eof_ || end <= end_) return 0;
  return std::min<uint64_t>(end - end_, kChunk);
}

void StdinBuffer::Add(grpc::Slice data) {
  const size_t size = data.size();
  kept_.push_back({end_, std::move(data)});
  end_ += size;
}

std::optional<grpc::ByteBuffer> StdinBuffer::Next() {
  for (const Chunk& chunk : kept_) {
    const uint64_t end = chunk.offset + chunk.data.size();
    if (end <= sent_) continue;
    // After a new start the credit may end within a chunk.
    const uint64_t from = std::max(sent_, chunk.offset);
    const uint64_t to = std::min(end, limit_);
    if (to <= from) return std::nullopt;
    sent_ = to;
    if (to - from == chunk.data.size()) return StdinFrame(from, chunk.data);
    const uint8_t* const begin = chunk.data.begin() + (from - chunk.offset);
    return StdinFrame(from, grpc::Slice(begin, to - from));
  }
  if (!eof_ || eof_sent_) return std::nullopt;
  eof_sent_ = true;
  return EofFrame(end_);
}

// What the command has taken is never needed again.
void StdinBuffer::Forget(uint64_t before) {
  while (!kept_.empty() &&
         kept_.front().offset + kept_.front().data.size() <= before) {
    begin_ = kept_.front().offset + kept_.front().data.size();
    kept_.pop_front();
  }
  sent_ = std::max(sent_, begin_);
}

}  // namespace berth::cli
