#ifndef BERTH_AGENT_LOG_JOURNAL_H_
#define BERTH_AGENT_LOG_JOURNAL_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "proto/berth/holder/v1/holder.pb.h"

namespace berth::agent {

// The journal of a session, the writer's side: what its holder knows about
// commands, appended record by record. Each record is one write, so it is
// there or not. It survives the writer's death; it is not synced to disk, so a
// power cut may take its tail. One thread.
class Journal {
 public:
  // Opens or makes the journal at `path`. A torn tail, left by a crash, is cut
  // off.
  static absl::StatusOr<Journal> Open(const std::string& path);

  // RESOURCE_EXHAUSTED: the disk is full. Then the record is not there.
  absl::Status Append(const holder::v1::JournalRecord& record);

  // Sees to it that kReserve bytes can be appended even if the disk becomes
  // full. RESOURCE_EXHAUSTED, which names the file: it is, already. Where
  // nothing can be set aside it is OK.
  static constexpr uint64_t kReserve = 16 << 10;
  absl::Status Prepare();

 private:
  Journal(UniqueFd file, uint64_t size, std::string path)
      : file_(std::move(file)), size_(size), path_(std::move(path)) {}

  UniqueFd file_;
  uint64_t size_;  // Up to the end of the last whole record.
  uint64_t prepared_ = 0;
  std::string path_;
};

struct JournalExtent {
  uint64_t records = 0;
  uint64_t bytes = 0;  // Of whole records.
  bool torn = false;   // Something follows that is no whole record.
};

// Passes each record of the journal at `path` to `visit`, in order, up to the
// first that is torn or damaged. May run while the journal is written.
// NOT_FOUND: no such file.
absl::StatusOr<JournalExtent> ReadJournal(
    const std::string& path,
    absl::FunctionRef<void(const holder::v1::JournalRecord&)> visit);

// The same from byte `offset` on, which must be where a record begins, and no
// further than some 64 KiB, or the record for which `visit` returns false:
// `bytes` is where to go on.
absl::StatusOr<JournalExtent> ReadJournalPart(
    const std::string& path, uint64_t offset,
    absl::FunctionRef<bool(const holder::v1::JournalRecord&)> visit);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOG_JOURNAL_H_
