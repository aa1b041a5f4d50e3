#include "cli/run/output_sink.h"

#include <algorithm>

namespace berth::cli {

absl::Status ExactSink::Write(v1::OutputStream stream, uint64_t offset,
                              absl::Span<iovec> pieces, size_t) {
  Output& output = stream == v1::OUTPUT_STREAM_STDERR ? err_ : out_;
  const Output::Result result = output.Write(pieces);
  written_ = offset + result.written;
  return result.status;
}

absl::Status TaggedSink::Write(v1::OutputStream stream, uint64_t offset,
                               absl::Span<iovec> pieces, size_t size) {
  Stream& to = stream == v1::OUTPUT_STREAM_STDERR ? err_ : out_;
  const uint64_t before = written();
  std::string lines;
  uint64_t at = offset;
  for (const iovec& piece : pieces) {
    lines += to.tagger.Add(
        at, {static_cast<const char*>(piece.iov_base), piece.iov_len});
    at += piece.iov_len;
  }
  passed_ = offset + size;
  if (lines.empty()) return absl::OkStatus();
  const absl::Status status = to.output.Write(lines);
  if (!status.ok() && !failed_) {
    failed_ = true;
    failed_at_ = before;
  }
  return status;
}

absl::Status TaggedSink::Flush() {
  const uint64_t before = written();
  absl::Status status = absl::OkStatus();
  for (Stream* stream : {&out_, &err_}) {
    const std::string line = stream->tagger.Flush();
    if (!line.empty() && status.ok()) status = stream->output.Write(line);
  }
  if (!status.ok() && !failed_) {
    failed_ = true;
    failed_at_ = before;
  }
  return status;
}

uint64_t TaggedSink::written() const {
  if (failed_) return failed_at_;
  uint64_t written = passed_;
  for (const Stream* stream : {&out_, &err_}) {
    written = std::min(written, stream->tagger.kept_offset().value_or(written));
  }
  return written;
}

}  // namespace berth::cli
