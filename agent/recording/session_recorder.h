#ifndef BERTH_AGENT_RECORDING_SESSION_RECORDER_H_
#define BERTH_AGENT_RECORDING_SESSION_RECORDER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agent/log/log_reader.h"
#include "agent/recording/recording_state.pb.h"
#include "agent/recording/spool.h"
#include "proto/berth/holder/v1/holder.pb.h"
#include "proto/berth/v1/recordings.pb.h"

namespace berth::agent {

// Records one session: reads what is new in its journal and logs, in bounded
// pieces, and seals that in segments. What is read and not sealed is read again
// by the next agent, as the state tells what is sealed. Not thread-safe.
class SessionRecorder {
 public:
  // A segment is sealed when it has so much, or more where that is a lot at
  // once; never kMaxRecordingSegmentBytes.
  static constexpr uint64_t kSealBytes = 768 << 10;

  // Makes the recording's directory in `spool`: the session is about to be
  // made. `log_limit` is the session's.
  static absl::Status Create(const Spool& spool, const v1::RecordingInfo& info,
                             const std::string& session_directory,
                             uint64_t log_limit);

  // Goes on with a recording. NOT_FOUND: there is none.
  static absl::StatusOr<std::unique_ptr<SessionRecorder>> Open(
      Spool& spool, const std::string& instance_id);

  const std::string& instance_id() const { return state_.info().instance_id(); }
  const std::string& session_directory() const {
    return state_.session_directory();
  }
  bool over() const { return state_.over(); }

  // A file of the session's directory has changed; or any may have.
  void Touched(absl::string_view file);
  void TouchAll();
  bool has_work() const { return journal_touched_ || !touched_.empty(); }

  // Reads some of what has changed. DATA_LOSS: it can't be read, which is in
  // the recording then.
  absl::Status Read();

  // Whether the open segment is to be sealed now for its size, and when it got
  // its first entry (monotonic).
  bool full() const { return open_bytes_ >= state_.seal_bytes(); }
  bool has_open() const { return open_.entries_size() > 0; }
  absl::Time open_since() const { return open_since_; }

  // Seals the open segment, if it has anything. If the spool is full, what is
  // in it is left out, and the next segment begins with a gap. Fails as the
  // file system does: then it is still open.
  absl::Status Seal();

  // Reads all that is left and seals it, with the session's end. Fails as the
  // file system does; may be called again.
  absl::Status Finish(const std::string& reason);

  // What is in sealed segments, for the session's holder.
  const holder::v1::Recorded& recorded() const { return recorded_; }

 private:
  // An entry, and what orders it among those of other logs.
  using Timed = std::pair<int64_t, v1::RecordingEntry>;

  SessionRecorder(Spool& spool, recorder::v1::RecordingState state);

  absl::Status ReadJournal(std::vector<Timed>& batch);
  // False: it has to wait until the log of its command was read.
  bool OnRecord(const holder::v1::JournalRecord& record,
                std::vector<Timed>& batch);
  // Reads some of one log. True: there may be more.
  absl::StatusOr<bool> ReadLog(uint64_t sequence, std::vector<Timed>& batch);
  v1::RecordingEntry EntryOf(uint64_t sequence, const LogReader::Chunk& chunk,
                             absl::string_view bytes) const;
  void Append(v1::RecordingEntry entry);
  void AppendGap(uint64_t sequence, uint64_t bytes, absl::string_view reason);
  absl::Status SealNow(bool last);
  absl::Status SaveState(const recorder::v1::RecordingState& state) const;
  // Forgets where the logs of commands end that ended long ago.
  void ForgetOld();

  Spool& spool_;
  recorder::v1::RecordingState
      state_;  // As it will be when the open segment is sealed.
  v1::RecordingSegment open_;
  uint64_t open_bytes_ = 0;
  absl::Time open_since_ = absl::InfiniteFuture();
  bool journal_touched_ = true;
  std::set<uint64_t> touched_;
  uint64_t last_read_ = 0;
  bool end_noted_ = false;
  // The end of a command that the journal told, and of its output; it is for
  // behind that.
  struct Awaited {
    uint64_t sequence = 0;
    uint64_t offset = 0;
  };
  std::optional<Awaited> awaited_;
  // Of one batch: what was printed was printed after the command began,
  // whatever was noticed first.
  std::map<uint64_t, int64_t> begun_;
  std::map<uint64_t, LogReader> readers_;
  holder::v1::Recorded recorded_;
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_RECORDING_SESSION_RECORDER_H_
