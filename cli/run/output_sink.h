#ifndef BERTH_CLI_RUN_OUTPUT_SINK_H_
#define BERTH_CLI_RUN_OUTPUT_SINK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cli/invocation/output.h"
#include "cli/render/line_tagger.h"
#include "proto/berth/v1/sessions.pb.h"

namespace berth::cli {

// Where one command's output goes. Used by one thread.
class OutputSink {
 public:
  virtual ~OutputSink() = default;

  // Writes `size` bytes, in `pieces`, that start at `offset` of the log.
  // Errors as Output::Write(). Changes `pieces`.
  virtual absl::Status Write(v1::OutputStream stream, uint64_t offset,
                             absl::Span<iovec> pieces, size_t size) = 0;

  // Writes what was kept back. Call at a command's end, or on leaving.
  virtual absl::Status Flush() = 0;

  // A command's output begins, or goes on, at `offset`.
  virtual void StartAt(uint64_t offset) = 0;

  // All output before this offset has really been written.
  virtual uint64_t written() const = 0;
};

// Passes every byte on as it is.
class ExactSink : public OutputSink {
 public:
  ExactSink(Output& out, Output& err) : out_(out), err_(err) {}

  absl::Status Write(v1::OutputStream stream, uint64_t offset,
                     absl::Span<iovec> pieces, size_t size) override;
  absl::Status Flush() override { return absl::OkStatus(); }
  void StartAt(uint64_t offset) override { written_ = offset; }
  uint64_t written() const override { return written_; }

 private:
  Output& out_;
  Output& err_;
  uint64_t written_ = 0;
};

// Writes whole lines with a tag in front, so that several commands can share a
// terminal.
class TaggedSink : public OutputSink {
 public:
  TaggedSink(Output& out, Output& err, const std::string& tag)
      : out_{out, LineTagger(tag)}, err_{err, LineTagger(tag)} {}

  absl::Status Write(v1::OutputStream stream, uint64_t offset,
                     absl::Span<iovec> pieces, size_t size) override;
  absl::Status Flush() override;
  void StartAt(uint64_t offset) override { passed_ = offset; }
  uint64_t written() const override;

 private:
  struct Stream {
    Output& output;
    LineTagger tagger;
  };

  Stream out_;
  Stream err_;
  // Lines that could not be written count as not written, for good.
  bool failed_ = false;
  uint64_t failed_at_ = 0;
  uint64_t passed_ = 0;
};

}  // namespace berth::cli

#endif  // BERTH_CLI_RUN_OUTPUT_SINK_H_
