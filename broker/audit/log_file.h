#ifndef BERTH_BROKER_AUDIT_LOG_FILE_H_
#define BERTH_BROKER_AUDIT_LOG_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "broker/audit/event.h"
#include "broker/audit/segments.h"
#include "broker/audit/signing.h"

namespace berth::broker {

// Where the chain is.
struct AuditHead {
  // The number and the hash of the last line; 0 and zeros before the first.
  uint64_t seq = 0;
  std::string hash = NoHash();
};

// AuditLogFile writes the segments of an audit log: numbers and chains lines,
// signs checkpoints, begins a new segment when one is full, and removes old
// ones. What can't be written leaves no trace. For one thread.
class AuditLogFile {
 public:
  struct Options {
    std::string directory;
    // A new segment begins when one has this many bytes.
    uint64_t segment_bytes = 64 << 20;
    // How long segments are kept after their last line; zero: for ever.
    absl::Duration retention;
    // At most this many lines are without a signature.
    uint64_t checkpoint_lines = kCheckpointLines;
  };
  // Also what verifying relies on: more lines than this without a checkpoint
  // are a finding.
  static constexpr uint64_t kCheckpointLines = 1000;

  // Opens the log in `options.directory` (made if needed), and mends what a
  // process that died has left: that is said in `mended` (empty: nothing was).
  // Fails as the file system does.
  static absl::StatusOr<std::unique_ptr<AuditLogFile>> Open(
      const Options& options, AuditKey key, std::vector<AuditEvent>* mended);

  // Appends `events`, and checkpoints as they are due. All are written, or
  // none: then the log is as it was, and the next call may go well. `written`:
  // gets the lines, with newlines, if not null; some of the log's own may have
  // been written also when it fails.
  absl::Status Append(const std::vector<AuditEvent>& events,
                      std::string* written);
  // Appends a checkpoint, unless the last line is one.
  absl::Status Checkpoint(std::string* written);
  // Returns when the disk has what was appended. Then keeps a copy of the last
  // checkpoint beside the segments.
  absl::Status Sync();

  // Lines since the last checkpoint.
  uint64_t unsigned_lines() const { return chain_.since_checkpoint; }
  const AuditHead& head() const { return chain_.head; }

 private:
  struct Chain {
    AuditHead head;
    uint64_t since_checkpoint = 0;
    // A checkpoint that the disk may not have yet, with its newline.
    std::string last_checkpoint;
  };

  AuditLogFile(const Options& options, AuditKey key)
      : options_(options), key_(std::move(key)) {}

  absl::Status OpenLast(const AuditSegment& last,
                        std::vector<AuditEvent>* mended);
  // Compares with the copy of the last checkpoint.
  void CheckHead(std::vector<AuditEvent>* mended);
  // Begins a segment with the line after the head.
  absl::Status Begin();
  absl::Status RotateIfFull(std::string* written);
  absl::Status RemoveOld(std::string* written);
  // Adds a line to `out` and to `chain`.
  void Add(const AuditEvent& event, bool checkpoint, Chain& chain,
           std::string& out) const;
  // Writes `bytes`, takes `chain` over once they are there, and adds them to
  // `written`.
  absl::Status Write(const std::string& bytes, Chain chain,
                     std::string* written);

  const Options options_;
  const AuditKey key_;
  Chain chain_;
  UniqueFd fd_;
  uint64_t size_ = 0;  // Of the segment; what is beyond is not part of it.
  std::string path_;
};

}  // namespace berth::broker

#endif  // BERTH_BROKER_AUDIT_LOG_FILE_H_
