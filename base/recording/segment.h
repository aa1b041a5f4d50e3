#ifndef BERTH_BASE_RECORDING_SEGMENT_H_
#define BERTH_BASE_RECORDING_SEGMENT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/berth/v1/recordings.pb.h"

namespace berth {

// No segment of a recording has more bytes.
inline constexpr size_t kMaxRecordingSegmentBytes = 2 << 20;

// The SHA-256 of `bytes`, in hex.
std::string RecordingHash(absl::string_view bytes);

// What the first segment says of the one before: 64 zeros.
std::string NoRecordingHash();

// Reads the bytes of a sealed segment, from whom they may be. INVALID_ARGUMENT:
// they are none, or too many: says why.
absl::StatusOr<v1::RecordingSegment> ParseRecordingSegment(
    absl::string_view bytes);

// The name of a segment's file.
std::string RecordingSegmentName(uint64_t index);

// Takes all entries from `from_ns` on and before `until_ns` out of `segment`,
// and leaves `redaction` (whose count and hash are set here) in the place of
// each row of them. Returns how many were taken out. How the session began and
// ended stays.
uint64_t RedactSegment(int64_t from_ns, int64_t until_ns,
                       const v1::RecordedRedaction& redaction,
                       v1::RecordingSegment& segment);

}  // namespace berth

#endif  // BERTH_BASE_RECORDING_SEGMENT_H_
