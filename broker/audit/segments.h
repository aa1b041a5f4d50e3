#ifndef BERTH_BROKER_AUDIT_SEGMENTS_H_
#define BERTH_BROKER_AUDIT_SEGMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/unique_fd.h"

namespace berth::broker {

// One file of an audit log, named by the number of its first line.
struct AuditSegment {
  uint64_t first_seq = 0;
  std::string path;
};

// The file that keeps a copy of the last checkpoint, in the log's directory.
inline constexpr char kAuditHeadFile[] = "head";

std::string AuditSegmentName(uint64_t first_seq);

// The segments in `directory`, by number; files with other names are passed
// over. NotFound: there is no such directory.
absl::StatusOr<std::vector<AuditSegment>> ListAuditSegments(
    const std::string& directory);

// Reads a segment line by line. One thread at a time.
class AuditLineReader {
 public:
  // A line that is longer is not of this log.
  static constexpr size_t kMaxLineBytes = 256 << 10;

  explicit AuditLineReader(const std::string& path);

  // The next whole line, without its newline; false at the end, where more may
  // have come later. Valid until the next call.
  bool Next(absl::string_view* line);

  // Whether the file could be opened and read so far; DataLoss: a line is too
  // long.
  const absl::Status& status() const { return status_; }
  // Where the next line begins.
  uint64_t offset() const { return offset_; }
  // Bytes after the last whole line that was read so far.
  size_t torn_bytes() const { return buffer_.size() - begin_; }

 private:
  UniqueFd fd_;
  absl::Status status_;
  std::string buffer_;
  size_t begin_ = 0;  // Of what was not handed out, in buffer_.
  uint64_t offset_ = 0;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_SEGMENTS_H_
