#ifndef BERTH_AGENT_LOG_RECORD_H_
#define BERTH_AGENT_LOG_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace berth::agent {

// Which of a command's streams. The values are those of the log's format, and
// of berth.v1.OutputStream.
enum class Stream : uint8_t { kStdout = 1, kStderr = 2 };

// A segment is one file of a command's log: the records from log offset
// `offset` on, up to the next segment. No two segments of a session have the
// same id, ever.
struct SegmentId {
  uint64_t sequence = 0;  // The command's number in its session.
  uint64_t offset = 0;
};

// The segment's file name: "c<sequence>.<offset as 16 hex digits>".
std::string SegmentName(const SegmentId& id);

// The inverse; nothing if `name` is not the name of a segment.
std::optional<SegmentId> ParseSegmentName(absl::string_view name);

// What precedes the bytes of each record. On disk, little endian: magic u32,
// length u32, offset u64, stream u8, three zero bytes, crc u32, time i64. The
// crc is CRC-32C of the header with a crc of zero, then of the segment's
// sequence and offset: a segment's file may have been another segment before,
// and what is left from then must not look like a record.
struct RecordHeader {
  uint32_t length = 0;  // Bytes that follow; never 0.
  uint64_t offset = 0;  // Of the first of them, in the command's log.
  Stream stream = Stream::kStdout;
  int64_t time_ns = 0;  // When it was logged, since the epoch.
};

inline constexpr size_t kHeaderBytes = 32;

// No record is longer: a reader takes a longer one for damage.
inline constexpr uint32_t kMaxRecordBytes = 16 << 20;

// Writes `header` to the kHeaderBytes at `out`.
void EncodeHeader(const RecordHeader& header, const SegmentId& segment,
                  char* out);

// Reads a header from kHeaderBytes at `in`; nothing if it isn't one of this
// segment.
std::optional<RecordHeader> DecodeHeader(const char* in,
                                         const SegmentId& segment);

}  // namespace berth::agent

#endif  // BERTH_AGENT_LOG_RECORD_H_
