#ifndef BERTH_AGENT_RECORDING_SPOOL_H_
#define BERTH_AGENT_RECORDING_SPOOL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/cond_var.h"
#include "base/mutex.h"

namespace berth::agent {

// The sealed segments of recordings that the broker has not yet, on disk: one
// directory for each recording. One thread adds, another takes. Thread-safe.
class Spool {
 public:
  // A sealed segment. `is_oldest`: none before it is here.
  struct Sealed {
    std::string instance_id;
    uint64_t index = 0;
    bool is_oldest = false;
  };

  // All segments together take at most `limit` bytes. `directory` exists.
  Spool(std::string directory, uint64_t limit)
      : directory_(std::move(directory)), limit_(limit) {}

  std::string DirectoryOf(absl::string_view instance_id) const;

  // Takes up a recording's directory of an earlier run. Segments from
  // `next_index` on were not sealed to the end: they are deleted.
  absl::Status Adopt(const std::string& instance_id, uint64_t next_index)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Adds a segment. False: there is no room, and it was not added. `force`:
  // whatever the limit says. Fails as the file system does.
  absl::StatusOr<bool> Add(const std::string& instance_id, uint64_t index,
                           absl::string_view bytes, bool force)
      ABSL_LOCKS_EXCLUDED(mu_);
  // The segment may be taken: what says that it was sealed is on the disk.
  void Publish(const std::string& instance_id, uint64_t index)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing is added to it any more: it goes when its segments are gone.
  void Finish(const std::string& instance_id) ABSL_LOCKS_EXCLUDED(mu_);
  // It never came to be.
  void Discard(const std::string& instance_id) ABSL_LOCKS_EXCLUDED(mu_);

  // Waits for a segment that may be uploaded now. Nothing: Stop() was called.
  std::optional<Sealed> WaitNext() ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::string> Read(const Sealed& sealed) const;
  // Segments of the recording before `next_index` are stored elsewhere.
  void Stored(const std::string& instance_id, uint64_t next_index)
      ABSL_LOCKS_EXCLUDED(mu_);
  // That recording was refused: others may go before it is tried again.
  void PutOff(const std::string& instance_id, absl::Duration delay)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Waits `time`; false: Stop() was called.
  bool Sleep(absl::Duration time) ABSL_LOCKS_EXCLUDED(mu_);
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  uint64_t bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Recording {
    std::map<uint64_t, uint64_t> segments;  // Index and bytes.
    uint64_t published = 0;                 // Those before may be taken.
    bool finished = false;
    absl::Time not_before = absl::InfinitePast();
  };

  std::string PathOf(absl::string_view instance_id, uint64_t index) const;
  // Deletes the directories of recordings that are over and stored.
  void RemoveIfDone(const std::string& instance_id) ABSL_LOCKS_EXCLUDED(mu_);

  const std::string directory_;
  const uint64_t limit_;
  mutable Mutex mu_;
  CondVar changed_;
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::string last_ ABSL_GUARDED_BY(mu_);  // That WaitNext() chose.
  std::map<std::string, Recording> recordings_ ABSL_GUARDED_BY(mu_);
};

}  // namespace berth::agent

#endif  // BERTH_AGENT_RECORDING_SPOOL_H_
