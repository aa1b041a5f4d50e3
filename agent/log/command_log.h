#ifndef BERTH_AGENT_LOG_COMMAND_LOG_H_
#define BERTH_AGENT_LOG_COMMAND_LOG_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/log/record.h"
#include "agent/log/session_logs.h"
#include "base/unique_fd.h"

namespace berth::agent {

// The output log of one command, the writer's side. Made and owned by
// SessionLogs; same thread.
//
// A record's bytes are written first and its header after them, so whoever
// finds a header finds the bytes, and a record that was cut off by a crash has
// no header.
class CommandLog {
 public:
  // Moves what the pipe `fd` holds, but at most `max` bytes, into the log,
  // without a copy through this process. Returns how many bytes that were: 0
  // means that the pipe is empty now (or closed; poll tells). May move less
  // than there is; call again.
  //
  // RESOURCE_EXHAUSTED: the log or the disk is full; the message names the
  // directory. Nothing is lost: what was not moved is still in the pipe.
  absl::StatusOr<size_t> AppendFromPipe(int fd, Stream stream, size_t max);

  // Appends `data`, all of it or nothing. RESOURCE_EXHAUSTED as above, also if
  // `data` is longer than what fits in one record here (64 KiB always fit).
  absl::Status Append(Stream stream, absl::string_view data);

  // Leaves `bytes` of output out: the log goes on behind them, and readers see
  // a gap.
  void Skip(uint64_t bytes);

  // The offset after the last byte.
  uint64_t end() const { return end_; }

  // All output before this was safely got by a client.
  uint64_t acked() const { return acked_; }

  // Raises acked(); a lower offset changes nothing, one past end() means end().
  void Ack(uint64_t offset);

  // The same for what a recording has, where logs are kept for one.
  void Recorded(uint64_t offset) { recorded_ = std::max(recorded_, offset); }

 private:
  friend class SessionLogs;

  CommandLog(SessionLogs& logs, uint64_t sequence)
      : logs_(logs), sequence_(sequence), active_(logs.segments_.end()) {}

  bool has_active() const { return active_ != logs_.segments_.end(); }
  SegmentId active_id() const { return {sequence_, active_->offset}; }

  // Makes a place for a record of up to `wanted` bytes in the active segment,
  // and returns how many it may have.
  absl::StatusOr<size_t> Reserve(size_t wanted);
  absl::StatusOr<size_t> Splice(int fd, size_t size);
  // Makes a record of the `length` bytes that were written after the place of
  // its header.
  absl::Status Commit(Stream stream, uint32_t length);
  absl::Status WriteHeader();
  // Ends the active segment: the next record starts a new one.
  void Close();

  SessionLogs& logs_;
  const uint64_t sequence_;
  uint64_t end_ = 0;
  uint64_t acked_ = 0;
  uint64_t recorded_ = 0;
  uint64_t unacknowledged_ = 0;  // Bytes that are in the log.
  size_t segment_count_ = 0;
  bool finished_ = false;
  // The segment that is written to, and its file.
  SessionLogs::Segments::iterator active_;
  UniqueFd file_;
  // A record whose bytes are written and whose header is not yet (length 0:
  // none). It is written before anything else.
  RecordHeader pending_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOG_COMMAND_LOG_H_
