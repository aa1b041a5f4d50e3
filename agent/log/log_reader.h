#ifndef BERTH_AGENT_LOG_LOG_READER_H_
#define BERTH_AGENT_LOG_LOG_READER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/log/record.h"
#include "base/unique_fd.h"

namespace berth::agent {

// The offsets at which the segments of a command's log start, sorted. `dir_fd`
// is the session's directory.
absl::StatusOr<std::vector<uint64_t>> ListSegments(int dir_fd,
                                                   uint64_t sequence);

// Reads one command's output log, from any offset, while another process
// writes and trims it, or after that process is gone. Thread-compatible.
//
// Nothing in the files is trusted: whatever is torn, damaged or missing is
// reported as a gap.
class LogReader {
 public:
  // For `logged_end`: not known, read whatever there is.
  static constexpr uint64_t kUnknownEnd = std::numeric_limits<uint64_t>::max();

  struct Chunk {
    enum Kind {
      kEnd,   // There is no more (yet).
      kData,  // `length` bytes were put into the buffer.
      kGap,   // `length` bytes from `offset` on are not in the log any more.
    };
    Kind kind = kEnd;
    uint64_t offset = 0;
    uint64_t length = 0;
    Stream stream = Stream::kStdout;  // kData only, and so is
    int64_t time_ns = 0;              // when the first byte was logged.
  };

  // Reads the log of command `sequence` in a session's directory, from the
  // byte at `offset` on. NOT_FOUND: no such directory.
  static absl::StatusOr<LogReader> Open(const std::string& directory,
                                        uint64_t sequence, uint64_t offset);

  // Reads on, into `buffer`. Neighbouring records of one stream come as one
  // chunk. Nothing at or after `logged_end` is read: the writer must have said
  // that its log reaches there. What is missing before a known `logged_end`,
  // or before something later, is a gap. DATA_LOSS: the files can't be read.
  absl::StatusOr<Chunk> Read(absl::Span<char> buffer,
                             uint64_t logged_end = kUnknownEnd);

  // From now on a chunk has bytes of one record only, and so one time.
  void ByRecord() { by_record_ = true; }

  // Of the next byte.
  uint64_t offset() const { return offset_; }

 private:
  LogReader(UniqueFd dir_fd, uint64_t sequence, uint64_t offset)
      : dir_fd_(std::move(dir_fd)), sequence_(sequence), offset_(offset) {}

  absl::StatusOr<Chunk> ReadData(absl::Span<char> buffer, uint64_t logged_end);
  // Goes to the next record. False if there is none here.
  absl::StatusOr<bool> NextRecord(uint64_t logged_end);
  // Copies up to `size` bytes of the current record. 0 if they are gone.
  absl::StatusOr<size_t> Take(char* out, size_t size, uint64_t logged_end);
  void Skip(uint64_t size);

  // Opens the segment that has offset_, or else the first one after the place
  // where the data ended. False if there is none.
  absl::StatusOr<bool> Locate();
  // Opens one segment. False if it does not exist.
  absl::StatusOr<bool> OpenSegment(uint64_t start);
  // Reads from the segment's file. 0: nothing there, or not this segment any
  // more.
  absl::StatusOr<size_t> ReadFile(char* out, size_t size, uint64_t at);
  absl::Status FillWindow(uint64_t logged_end);
  absl::string_view window() const {
    return absl::string_view(window_).substr(window_at_);
  }
  void DropWindow();
  void Lose();

  UniqueFd dir_fd_;
  uint64_t sequence_;
  uint64_t offset_;
  bool by_record_ = false;

  // The open segment.
  UniqueFd file_;
  SegmentId segment_;
  uint64_t inode_ = 0;
  uint64_t log_at_ = 0;     // The log offset that is next in the file,
  uint64_t file_at_ = 0;    // and where it is there.
  uint32_t remaining_ = 0;  // Bytes of the current record not yet taken.
  RecordHeader record_;

  // Bytes of the file from file_at_ on, read ahead: small records are many.
  std::string window_;
  size_t window_at_ = 0;
  // What the window holds from here on was not announced when it was read.
  uint64_t window_end_ = 0;
  // Records at or after this log offset in segment_ could not be read.
  bool lost_ = false;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOG_LOG_READER_H_
