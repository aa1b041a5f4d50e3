#ifndef BERTH_AGENT_LOG_SESSION_LOGS_H_
#define BERTH_AGENT_LOG_SESSION_LOGS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/log/record.h"
#include "base/unique_fd.h"

namespace berth::agent {

class CommandLog;

// What happens when the logs of a session reach their limit and nothing in
// them was acknowledged.
enum class WhenFull {
  kBlock,  // Nothing more is logged until something was acknowledged.
  kDrop,   // The oldest output is deleted.
};

// A segment's bytes are charged in these: what even one byte takes on disk. So
// the limit also bounds the number of files.
inline constexpr uint64_t kBlockBytes = 4096;

// The logs of all commands of one session, the writer's side: it owns the
// segment files and keeps them within a limit. Where there is pressure,
// segments that were wholly acknowledged go first, oldest first; without it
// nothing is deleted. One thread; readers (LogReader) are other processes.
class SessionLogs {
 public:
  // `directory` exists and has no logs in it. `limit` is in bytes, at least
  // 1 MiB (else INVALID_ARGUMENT). NOT_FOUND: no such directory.
  static absl::StatusOr<std::unique_ptr<SessionLogs>> Open(
      const std::string& directory, uint64_t limit, WhenFull when_full);
  ~SessionLogs();

  // The log of a new command. Costs no file until something is appended.
  // Owned by this; see Finish. ALREADY_EXISTS: the command has one.
  absl::StatusOr<CommandLog*> Create(uint64_t sequence);

  // The log of a command, or null if it has none (any more).
  CommandLog* Find(uint64_t sequence) const;

  // No more will be appended to a command's log: closes its file, and deletes
  // the CommandLog once none of its segments are left (maybe now). Harmless
  // if there is no such log.
  void Finish(uint64_t sequence);

  // Bytes on disk that all logs take together, at most the limit.
  uint64_t used() const { return used_; }

  // Bytes of output in all logs.
  uint64_t kept() const { return kept_; }
  // Of these, bytes that were not acknowledged.
  uint64_t unacknowledged() const { return unacknowledged_; }
  // Bytes that are gone and were never acknowledged.
  uint64_t dropped() const { return dropped_; }

  // Nothing counts as acknowledged before it was recorded.
  void KeepUntilRecorded() { until_recorded_ = true; }

  // From now on.
  void SetWhenFull(WhenFull when_full) { when_full_ = when_full; }

 private:
  friend class CommandLog;

  struct Segment {
    CommandLog* log;
    uint64_t offset;         // Of its first byte in the log.
    uint64_t end;            // Log offset after its last byte.
    uint64_t size = 0;       // Bytes of records in the file.
    uint64_t file_size = 0;  // Of the file, which may have been another one.
  };
  using Segments = std::list<Segment>;  // In order of creation.

  SessionLogs(std::string directory, UniqueFd dir_fd, uint64_t limit,
              WhenFull when_full);

  // Makes a segment at the end of `log`, opens it as log.file_.
  absl::Status NewSegment(CommandLog& log);
  // Turns `old` into the segment `name`. False if that was not possible.
  bool Recycle(Segments::iterator old, const std::string& name,
               CommandLog& log);
  // How many bytes, at most `wanted`, may be added to `segment` now, after
  // deleting what had to go. 0 if `segment` itself had to go.
  absl::StatusOr<uint64_t> MakeRoom(Segments::iterator segment,
                                    uint64_t wanted);
  // Deletes one segment. False if none may be deleted.
  bool FreeOne(Segments::iterator in_use);
  // The segment that goes next, or end(). Not `in_use` while it is empty.
  Segments::iterator Victim(Segments::iterator in_use);
  void Erase(Segments::iterator segment);   // Deletes its file, too.
  void Forget(Segments::iterator segment);  // May delete its CommandLog.
  void SetSizes(Segment& segment, uint64_t size, uint64_t file_size);
  void MaybeForget(CommandLog* log);
  absl::Status FullError() const;

  const std::string directory_;
  const UniqueFd dir_fd_;
  const uint64_t limit_;
  WhenFull when_full_;
  bool until_recorded_ = false;
  const uint64_t segment_bytes_;
  uint64_t used_ = 0;
  uint64_t kept_ = 0;
  uint64_t unacknowledged_ = 0;
  uint64_t dropped_ = 0;
  Segments segments_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<CommandLog>> logs_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOG_SESSION_LOGS_H_
