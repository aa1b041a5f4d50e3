#ifndef BERTH_BROKER_ARCHIVE_SEALS_H_
#define BERTH_BROKER_ARCHIVE_SEALS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "broker/archive/chain.h"
#include "broker/audit/event.h"
#include "proto/berth/v1/recordings.pb.h"

namespace berth::broker {

// The verbs of what the audit log says of recordings.
inline constexpr char kSealVerb[] = "recording.store";
inline constexpr char kRecordingRetiredVerb[] = "recording.retired";

// One segment that the archive has, as the audit log is told of it.
struct Seal {
  uint64_t index = 0;
  std::string sha256;  // As the agent sealed it.
  uint64_t bytes = 0;
  bool last = false;
};

// Says in `event` which segment of which recording was stored.
void SetSeal(const v1::RecordingInfo& info, const Seal& seal,
             AuditEvent& event);

// What the audit log says of one recording.
struct Seals {
  // Hashes by the segments' numbers.
  std::map<uint64_t, std::string> segments;
  // The broker deleted the recording itself, when it was old or there was no
  // room.
  bool retired = false;

  // What an archive with `stored` lacks, or has instead; empty: nothing. What
  // was taken out of a segment changes nothing, since the chain keeps the hash
  // that it had.
  std::string Compare(const std::map<uint64_t, Chain::Segment>& stored) const;
};

// Looks through the audit log in `directory`, without verifying it: reading
// speed. Fails if it can't be read; a log that does not exist says nothing.
absl::StatusOr<Seals> FindSeals(const std::string& directory,
                                const std::string& instance_id);

}  // namespace berth::broker

#endif  // BERTH_BROKER_ARCHIVE_SEALS_H_
